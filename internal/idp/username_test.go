package idp_test

import (
	"errors"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// No username looks like another one by letters of another script, by forms of a letter, or by what cannot be seen.
func TestValidUsername(t *testing.T) {
	for _, good := range []string{"alice", "Alice.B+1@example.com", "zoë", "алиса", "алиса2", "αλίκη", "田中", "田中ゆき", "ゆきユーザー", "金민수", "陳ㄅ", "محمد٣", "בני", strings.Repeat("ё", 64)} {
		if err := idp.ValidUsername(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"": "1 to 64", strings.Repeat("a", 65): "1 to 64", "a b": "letters, digits", "a:b": "letters, digits", "alice\n": "letters, digits", "zoe\u0308": "letters, digits",
		"\u0430lice": "of one script", "alic\u0435": "of one script", "\u03bflivia": "of one script", "алиsа": "of one script", "alice\u09ea": "of one script", "alice\u0665": "of one script",
		"田中taro": "of one script", "ゆき민수": "of one script", "alice\u02d0": "of one script", "\u02b9": "of one script",
		"\uff41lice": "plain letters", "\U0001d41alice": "plain letters", "\ufb01nn": "plain letters", "al\u00aa": "plain letters", "alice\uff11": "plain letters", "\u017fam": "plain letters", "\u212aate": "plain letters",
		"ali\u200dce": "cannot be seen", "alice\u3164": "cannot be seen", "\u115falice": "cannot be seen", "ali\u00adce": "cannot be seen", "alice\ufe0f": "cannot be seen", "\u202ealice": "cannot be seen", "a\U000e0061": "cannot be seen",
	} {
		var invalid *idp.InvalidError
		if err := idp.ValidUsername(bad); !errors.As(err, &invalid) || !strings.Contains(invalid.Sentence, says) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
