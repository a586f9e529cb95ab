// Package metrics counts what happens.
package metrics

import "sync"

// Counters are numbers by name. They may be used by several goroutines.
type Counters struct {
	mu     sync.Mutex
	values map[string]int
}

// New returns counters that are all zero.
func New() *Counters {
	return &Counters{values: map[string]int{}}
}

// Add adds to a counter.
func (c *Counters) Add(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[name] += n
}

// All returns a copy of the counters.
func (c *Counters) All() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := make(map[string]int, len(c.values))
	for name, value := range c.values {
		copied[name] = value
	}
	return copied
}
