package profile

import "testing"

func TestVersions(t *testing.T) {
	v, err := Parse("12.1.0-91295")
	if err != nil || !v.AtLeast(12, 1, 0) || v.AtLeast(12, 1, 1) || !v.AtLeast(11, 9, 9) {
		t.Fatalf("%v %v", v, err)
	}
	if _, err := Parse("9.5.0"); err == nil {
		t.Error("9.5 is taken")
	}
}
