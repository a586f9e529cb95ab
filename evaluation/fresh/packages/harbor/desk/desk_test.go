package desk

import (
	"context"
	"net/http/httptest"
	"testing"

	"example.org/harbor/board"
)

func shown(d *Desk) string {
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	return answer.Body.String()
}

func TestWhatWasReportedIsShownAndStays(t *testing.T) {
	reports := make(chan board.Report, 2)
	reports <- board.Report{Berth: "B", Ship: "Iris"}
	reports <- board.Report{Berth: "A", Ship: "Juno"}
	close(reports)
	d := New()
	d.Run(context.Background(), reports)
	if got, want := shown(d), "A: Juno\nB: Iris\n"; got != want {
		t.Errorf("shown: %q, want %q", got, want)
	}
}
