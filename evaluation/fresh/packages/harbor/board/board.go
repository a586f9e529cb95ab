// Package board knows which ship lies at which berth.
package board

import (
	"sort"
	"sync"
)

// Report is what a pilot says: a ship lies at a berth, or none does (Ship is empty).
type Report struct {
	Berth, Ship string
}

// Board has the last report of each berth. It may be used by several goroutines.
type Board struct {
	mu    sync.Mutex
	ships map[string]string
}

// New returns a board without any ship.
func New() *Board {
	return &Board{ships: map[string]string{}}
}

// Apply notes a report.
func (b *Board) Apply(report Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if report.Ship == "" {
		delete(b.ships, report.Berth)
		return
	}
	b.ships[report.Berth] = report.Ship
}

// Taken returns the berths at which a ship lies, sorted by their names.
func (b *Board) Taken() []Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := make([]Report, 0, len(b.ships))
	for berth, ship := range b.ships {
		taken = append(taken, Report{Berth: berth, Ship: ship})
	}
	sort.Slice(taken, func(i, j int) bool { return taken[i].Berth < taken[j].Berth })
	return taken
}
