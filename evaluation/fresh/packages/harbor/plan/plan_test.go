package plan

import (
	"reflect"
	"testing"
	"time"
)

var midnight = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func stay(berth string, from, to int) Stay {
	hour := func(n int) time.Time { return midnight.Add(time.Duration(n) * time.Hour) }
	return Stay{Ship: "Iris", Berth: berth, From: hour(from), To: hour(to)}
}

func TestShipsAtOneBerthAtATimeAreInConflict(t *testing.T) {
	stays := []Stay{stay("A", 4, 9), stay("B", 0, 9), stay("A", 0, 4), stay("A", 3, 5)}
	if got, want := Conflicts(stays), [][2]int{{0, 3}, {2, 3}}; !reflect.DeepEqual(got, want) {
		t.Errorf("conflicts: %v, want %v", got, want)
	}
}

func TestAPlanWithoutConflicts(t *testing.T) {
	if got := Conflicts([]Stay{stay("A", 0, 4), stay("A", 4, 9), stay("B", 2, 6)}); got != nil {
		t.Errorf("conflicts: %v, want none", got)
	}
}
