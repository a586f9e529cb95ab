// Package crates keeps the crates of a day.
package crates

import (
	"errors"
	"sort"
	"sync"
)

// ErrUnknown says that there is no crate of that number.
var ErrUnknown = errors.New("no such crate")

// Crate is a crate with what is in it; Row is where it stands, empty while it is on the road.
type Crate struct {
	Number int
	Sort   string
	Grams  int
	Row    string
}

// Store has the crates by their numbers. Its methods may be called from many goroutines.
type Store struct {
	mu     sync.Mutex
	crates map[int]*Crate
	last   int
}

// NewStore returns a store without crates.
func NewStore() *Store {
	return &Store{crates: map[int]*Crate{}}
}

// Fill notes a new crate and returns its number.
func (s *Store) Fill(sort string, grams int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.crates[s.last] = &Crate{Number: s.last, Sort: sort, Grams: grams}
	return s.last
}

// Get returns a copy of a crate, or ErrUnknown.
func (s *Store) Get(number int) (Crate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.find(number)
	if err != nil {
		return Crate{}, err
	}
	return *one, nil
}

// Put notes in which row a crate stands now; ErrUnknown without such a crate.
func (s *Store) Put(number int, row string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.find(number)
	if err != nil {
		return err
	}
	one.Row = row
	return nil
}

// All returns copies of the crates, by number.
func (s *Store) All() []Crate {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Crate, 0, len(s.crates))
	for _, one := range s.crates {
		all = append(all, *one)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Number < all[j].Number })
	return all
}

// find needs the lock.
func (s *Store) find(number int) (*Crate, error) {
	one, ok := s.crates[number]
	if !ok {
		return nil, ErrUnknown
	}
	return one, nil
}
