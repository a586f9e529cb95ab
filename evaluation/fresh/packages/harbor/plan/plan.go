// Package plan is about the stays that are booked.
package plan

import "time"

// Stay is a ship at a berth, from one time on until another one, at which it has left.
type Stay struct {
	Ship, Berth string
	From, To    time.Time
}

// Conflicts returns which stays are at one berth at the same time: pairs of their positions, the smaller
// one first, in order; nil if there are none.
func Conflicts(stays []Stay) [][2]int {
	var found [][2]int
	for i, one := range stays {
		for j := i + 1; j < len(stays); j++ {
			if one.Berth == stays[j].Berth && overlap(one, stays[j]) {
				found = append(found, [2]int{i, j})
			}
		}
	}
	return found
}

func overlap(one, other Stay) bool {
	return one.From.Before(other.To) && other.From.Before(one.To)
}
