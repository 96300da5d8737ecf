package faults

import "testing"

func (w *world) wires(t *testing.T) {}
