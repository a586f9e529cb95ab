package board

import (
	"reflect"
	"testing"
)

func TestTheLastReportOfABerthCounts(t *testing.T) {
	b := New()
	for _, report := range []Report{{"B", "Iris"}, {"A", "Juno"}, {"B", ""}, {"A", "Vela"}, {"C", "Io"}} {
		b.Apply(report)
	}
	if got, want := b.Taken(), []Report{{"A", "Vela"}, {"C", "Io"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("taken: %v, want %v", got, want)
	}
}
