use super::super::check_for_go;

/// Each as Go's `text/template` says of it.
#[test]
fn what_gos_parser_refuses_is_refused() {
    for text in [
        "{{ break }}",
        "{{ continue }}",
        "{{ range . }}{{ else }}{{ break }}{{ end }}",
        "{{ range . }}{{ block \"x\" . }}{{ break }}{{ end }}{{ end }}",
        "{{ define \"a\" }}{{ else }}{{ end }}",
        "{{ if . }}{{ else }}{{ else }}{{ end }}",
        "{{ if . }}{{ else }}{{ else if . }}{{ end }}",
        "{{ range . }}{{ else if . }}{{ end }}",
        "{{ if $z := 1 }}{{ end }}{{ $z }}",
        "{{ $x := 1 }}{{ define \"a\" }}{{ $x }}{{ end }}",
        "{{ $x }}",
        "{{ define \"a\" }}{{ define \"b\" }}{{ end }}{{ end }}",
        "{{ if . }}{{ define \"b\" }}{{ end }}{{ end }}",
        "{{ \"a\" | 5 }}",
        "{{ . | . }}",
        "{{ . | true }}",
        "{{ .A..B }}",
        "{{ \"a\".B }}",
        "{{ \"a\"\"b\" }}",
        "{{ 5.x }}",
        "{{ 09 }}",
        "{{ 0x }}",
        "{{ 1__x }}",
        "{{ 99999999999999999999 }}",
        "{{ 'ab' }}",
        "{{ '' }}",
        "{{ \"\\q\" }}",
        "{{ \"\\'\" }}",
        "{{ \"\\xg\" }}",
        "{{ \"\\777\" }}",
        "{{ \"\\ud800\" }}",
        "{{- -}}",
        "{{}}",
        "{{ with $a, $b := . }}{{ end }}",
        "{{ $a, $b := . }}",
        "{{ block \"x\" }}{{ end }}",
        "{{ template x . }}",
        "{{ print (1 }}",
        "{{ print 1) }}",
        "{{ print () }}",
        "{{ print if }}",
        "{{ print, 1 }}",
        "{{ print # }}",
        "{{ if . }}{{ end . }}",
        "{{ range . }}{{ break 1 }}{{ end }}",
    ] {
        assert!(check_for_go(text).is_err(), "{text}");
    }
}

#[test]
fn what_gos_parser_takes_is_taken() {
    for text in [
        "",
        "text } }} {",
        "{{ range . }}{{ break }}{{ end }}",
        "{{ range . }}{{ if . }}{{ continue }}{{ end }}{{ else }}x{{ end }}",
        "{{ range . }}{{ range . }}{{ else }}{{ break }}{{ end }}{{ end }}",
        "{{ range $i, $e := . }}{{ $i }}{{ $e.X.Y }}{{ end }}",
        "{{range $e := .Alerts}}{{$e}}{{end}}",
        "{{ if . }}a{{ else if .X }}b{{ else if .Y }}c{{ else }}d{{ end }}",
        "{{ with . }}a{{ else with .X }}b{{ else }}c{{ end }}",
        "{{ $x := 1 }}{{ if . }}{{ $x = 2 }}{{ $y := $x }}{{ $y }}{{ end }}{{ $x }}",
        "{{ if $z := .X }}{{ $z }}{{ else }}{{ $z }}{{ end }}",
        "{{ $y = 1 }}",
        "{{ define \"a\" }}{{ $ }}{{ $.X }}{{ $x := . }}{{ $x }}{{ end }}",
        "{{ block \"x\" . }}{{ . }}{{ end }}{{ template \"x\" }}{{ template `x` .Y | f }}",
        "{{ if . }}{{ block \"x\" .X }}{{ end }}{{ end }}",
        "{{ (index .X \"a\").B.C }}{{ (f).X }}{{ f.X }}",
        "{{ .X | printf \"%d %s\" (len .Y) | toUpper }}",
        "{{ print 1 -1 +2 .5 5. 1e3 1.5e-3 0x1F 0b11 0o17 017 1_000 0x1p-2 2i 'a' '\\n' '\\'' '\\x41' 'ä' true nil }}",
        "{{ \"\\\"\\n\\t\\\\ \\u00e4 \\U0001F600 \\x41 \\101\" }}{{ `raw \\q` }}",
        "{{- .X -}}{{- /* a comment */ -}}{{/* other */}}",
        "{{-1}}{{- 1 }}",
        "{{ print\n  .X\n  | f }}",
        "{{if.X}}y{{end}}",
        "{{ tmpl.Exec \"a\" . | coll.Dict \"x\" 1 }}",
        "{{ .Alerts.Firing | len }} {{ . }} {{ $ }}",
        "{{ with $x := .X | f }}{{ $x }}{{ end }}",
        "{{ print ($x := 1) }}{{ $x }}",
    ] {
        assert_eq!(check_for_go(text), Ok(()), "{text}");
    }
}
