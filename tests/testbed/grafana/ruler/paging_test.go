package ruler

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"
)

func places(pairs ...[2]string) (all []place) {
	for _, pair := range pairs {
		all = append(all, place{folder: "uid of " + pair[0], path: pair[0], group: pair[1]})
	}
	return all
}

// walk follows pages of two groups, at most ten of them, and says what they show.
func walk(byStore bool, all []place) (shown []string) {
	token := ""
	for range 10 {
		p := pages{byStore: byStore, groups: 2, rules: -1}
		text, _ := base64.URLEncoding.DecodeString(token)
		p.joined = string(text)
		var from cursor
		if json.Unmarshal(text, &from) == nil {
			p.from = place{folder: from.Folder, group: from.Group}
		}
		slices.SortFunc(all, p.compare)
		begin := p.begin(all)
		end := min(begin+2, len(all))
		for _, one := range all[begin:end] {
			shown = append(shown, one.path+"/"+one.group)
		}
		if end == len(all) {
			return shown
		}
		token = p.token(all, end)
	}
	return append(shown, "and so on")
}

func TestPagesFollowEachOther(t *testing.T) {
	all := places([2]string{"a", "1"}, [2]string{"a", "2"}, [2]string{"b", "1"}, [2]string{"c", "1"}, [2]string{"c", "2"})
	want := []string{"a/1", "a/2", "b/1", "c/1", "c/2"}
	for _, byStore := range []bool{false, true} {
		if got := walk(byStore, all); !slices.Equal(got, want) {
			t.Errorf("by the store: %v: %v, want %v", byStore, got, want)
		}
	}
}

func TestPagesLeadBackWhereOnePathIsTheBeginningOfAnother(t *testing.T) {
	all := places([2]string{"Team", "1"}, [2]string{"Team-EU", "1"}, [2]string{"Team-EU", "2"})
	if got := walk(false, all); !slices.Contains(got, "and so on") || slices.Contains(got, "Team-EU/2") {
		t.Errorf("by path: %v", got)
	}
	if got := walk(true, all); !slices.Equal(got, []string{"Team/1", "Team-EU/1", "Team-EU/2"}) {
		t.Errorf("by the store: %v", got)
	}
}

func TestATokenIsGoodWhenItsGroupIsGone(t *testing.T) {
	all := places([2]string{"a", "1"}, [2]string{"a", "2"}, [2]string{"b", "1"}, [2]string{"c", "1"})
	for _, byStore := range []bool{false, true} {
		p := pages{byStore: byStore, joined: "b/1", from: place{folder: "uid of a", group: "2"}}
		without := slices.DeleteFunc(slices.Clone(all), func(one place) bool { return one.path == "b" || one.group == "2" })
		if at := p.begin(without); at != 1 {
			t.Errorf("by the store: %v: %d of %v", byStore, at, without)
		}
	}
}
