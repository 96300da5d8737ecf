package rptest_test

import (
	"testing"

	"exeunt.dev/rp"
	"exeunt.dev/rp/rptest"
)

func TestMemory(t *testing.T) {
	rptest.Store(t, func(*testing.T) rp.Store { return rptest.NewMemory() })
}
