package crates

// Weight is what stands in each row, in grams; crates on the road are left out.
func (s *Store) Weight() map[string]int {
	weight := map[string]int{}
	for _, one := range s.All() {
		if one.Row != "" {
			weight[one.Row] += one.Grams
		}
	}
	return weight
}

// Move puts what stands in a row into another one and returns how many crates that were.
func (s *Store) Move(from, to string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, one := range s.crates {
		if one.Row == from {
			one.Row = to
			count++
		}
	}
	return count
}
