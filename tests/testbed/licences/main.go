// Command licences prints the licence of every Go module that the testbed's parts are linked from, and fails if one is not
// permitted.
//
// Standard input has a line for each part, with a tab between its name, the folder of its module, its build tags (or -) and
// its package. A module counts with the licence files in its folder and in those of its packages that are linked, and with
// what their source files say in their first lines.
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	modules := map[string]*module{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		if len(field) != 4 {
			return fmt.Errorf("licences: name, folder, tags and package of a part are needed: %q", lines.Text())
		}
		part := part{name: field[0], folder: field[1], tags: strings.TrimPrefix(field[2], "-"), pkg: field[3]}
		if err := part.link(modules); err != nil {
			return fmt.Errorf("licences: %s: %w", part.name, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODULE\tVERSION\tLICENCE\tLINKED BY")
	var refused []string
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		of := modules[name]
		found, wrong, err := of.licences()
		if err != nil {
			return err
		}
		parts := strings.Join(slices.Compact(slices.Sorted(slices.Values(of.parts))), ", ")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", of.path, of.version, strings.Join(found, ", "), parts)
		for _, why := range wrong {
			refused = append(refused, fmt.Sprintf("%s %s: %s; linked by %s", of.path, of.version, why, parts))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(refused) > 0 {
		return fmt.Errorf("licences that are not permitted (see tests/testbed/licences):\n  %s", strings.Join(refused, "\n  "))
	}
	return nil
}
