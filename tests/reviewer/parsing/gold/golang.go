package shop

import (
	"fmt"
	str "strings"
	. "math"
	_ "embed"
)

const Limit, low = 10, 2

var (
	ErrGone = errors.New("gone_now")
	cache   map[string]*Item
)

type Item struct {
	Name, code string
	*Base
	pkg.Mixin
}

type Store interface {
	Get(id int, more ...string) (*Item, error)
	fmt.Stringer
}

type ID = int
type List[T any] []T

func (s *Item) Total(a, b int, _ string) (sum int) {
	s.code = str.ToUpper(s.Name)
	local := func(x int) int { return x + Limit }
	for i, v := range s.rows {
		sum += local(v) + i
	}
	return
}

func (l List[T]) Len() int { return len(l) }

func New(opts ...Option) *Item {
	item := &Item{Name: "x", code: low}
	other := pkg.Mixin{}
	var n, m int = Max(1), 2
	go item.run(opts...)
	switch t := any(n).(type) {
	case *Store:
		fmt.Println(t, m, other)
	}
	const inner = 3
	type loc struct{ f int }
	return Map[int, ID](item)
}
