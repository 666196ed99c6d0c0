package telemetry

import (
	"strings"
	"sync"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

const (
	// maxNames bounds labels that hold names of the configuration, which may
	// have a thousand feeds; maxWords the labels whose values the code has.
	maxNames = 2000
	maxWords = 100
	// maxLabelBytes bounds one value.
	maxLabelBytes = 128
	// otherValue stands for all values beyond the bound.
	otherValue = "other"
)

// guard bounds the number of values of each label. Some values can be typed by
// hand into a signal, and each new one would be a time series for ever.
type guard struct {
	mu   sync.Mutex
	seen map[string]map[string]bool // by label
}

func newGuard() *guard { return &guard{seen: map[string]map[string]bool{}} }

func (g *guard) value(label, value string) string {
	value = clean(value)
	g.mu.Lock()
	defer g.mu.Unlock()
	values := g.seen[label]
	if values == nil {
		values = map[string]bool{}
		g.seen[label] = values
	}
	if values[value] {
		return value
	}
	if len(values) >= bound(label) {
		return otherValue
	}
	values[value] = true
	return value
}

func bound(label string) int {
	switch label {
	case "source", "feed", "integration":
		return maxNames
	default:
		return maxWords
	}
}

// clean makes a text fit for a label; the Prometheus library panics otherwise.
func clean(value string) string {
	return rest.Truncate(strings.ToValidUTF8(value, "?"), maxLabelBytes)
}
