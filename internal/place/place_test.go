package place

import (
	"strings"
	"testing"
)

// Addresses are found in their range, at both ends of it, and nowhere else; a line that cannot be meant is said with its number.
func TestPlaces(t *testing.T) {
	table, err := Read(strings.NewReader("# of a free table\n10.0.1.0,10.0.1.255,Zug, CH\n\"1.0.0.0\",\"1.0.0.255\",\"AU\"\n2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,DE,,Bonn\n::ffff:9.0.0.0,::ffff:9.0.0.9,mapped\n"))
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]string{
		"1.0.0.0": "AU", "1.0.0.255": "AU", "1.0.1.0": "", "0.255.255.255": "", "10.0.1.7": "Zug, CH", "10.0.2.0": "", "::ffff:10.0.1.7": "Zug, CH", "2001:db8::1": "DE, Bonn",
		"2001:db8:1::": "", "fe80::1%eth0": "", "9.0.0.5": "mapped", "": "", "nowhere": "", "255.255.255.255": "", "::": "",
	} {
		if got := table.Of(ip); got != want {
			t.Errorf("%q is in %q, want %q", ip, got, want)
		}
	}
	for text, says := range map[string]string{
		"1.0.0.0,1.0.0.255":                             "line 1",
		"1.0.0.0,1.0.0.255,A\n1.0.0.300,1.0.1.0,B\n":    "line 2",
		"1.0.0.9,1.0.0.1,A\n":                           "no range",
		"1.0.0.0,::1,A\n":                               "no range",
		"1.0.0.0,1.0.0.255,A\n1.0.0.9,1.0.1.0,B\n":      "two ranges",
		"1.0.0.0,1.0.0.255, \n":                         "1 to 100",
		"1.0.0.0,1.0.0.255," + strings.Repeat("x", 101): "1 to 100",
		"1.0.0.0,1.0.0.255,\"A\n":                       "line",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if empty, err := Read(strings.NewReader("")); err != nil || empty.Of("1.0.0.0") != "" {
		t.Error(err)
	}
}
