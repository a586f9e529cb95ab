package crates

import (
	"errors"
	"testing"
)

func TestACrateIsPutAndMoved(t *testing.T) {
	s := NewStore()
	one := s.Fill("Elstar", 12_000)
	s.Fill("Boskoop", 9_000)
	if err := s.Put(one, "A"); err != nil {
		t.Fatal(err)
	}
	if got := s.Move("A", "B"); got != 1 {
		t.Fatalf("moved %d", got)
	}
	if got := s.Weight(); len(got) != 1 || got["B"] != 12_000 {
		t.Fatalf("weight %v", got)
	}
}

func TestAnUnknownCrate(t *testing.T) {
	if _, err := NewStore().Get(7); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
}
