package ruler

import (
	"slices"
	"testing"
)

func TestPagesFollowEachOther(t *testing.T) {
	all := []string{"a/1", "a/2", "b/1", "c/1", "c/2"}
	same := func(s string) string { return s }
	var got []string
	token := ""
	for range 10 {
		some, next := page(all, same, 2, token)
		got = append(got, some...)
		if token = next; token == "" {
			break
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	if some, _ := page(all, same, 2, "!"); !slices.Equal(some, all[:2]) {
		t.Errorf("a token that can't be read: %v", some)
	}
	_, next := page(all, same, 2, "")
	if some, _ := page([]string{"a/1", "a/2", "c/1"}, same, 2, next); !slices.Equal(some, []string{"c/1"}) {
		t.Errorf("the group that the token names is gone: %v", some)
	}
	if some, next := page(all, same, 0, ""); len(some) != 5 || next != "" {
		t.Errorf("no limit: %v %q", some, next)
	}
}
