package httpapi

import (
	"context"
	"net/http"
	"time"
)

// Health looks at what the program needs, within the context's time.
type Health interface {
	Checks(ctx context.Context) []Check
}

// Check is what was found of one thing.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Optional: the program can do its work without it. Events are taken in
	// while no worker runs.
	Optional bool   `json:"optional,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

type health struct {
	Status string  `json:"status"`
	Checks []Check `json:"checks,omitempty"`
}

const checkWithin = 5 * time.Second

func (a *api) healthRoutes() []route {
	routes := []route{{
		method: http.MethodGet, path: "/healthz", tag: "Health", summary: "Is the program alive?", public: true,
		answers: []answer{{status: 200, about: "It is.", body: health{}}},
		handle: func(w http.ResponseWriter, _ *http.Request, _ Caller) error {
			writeJSON(w, http.StatusOK, health{Status: "ok"})
			return nil
		},
	}, {
		method: http.MethodGet, path: "/readyz", tag: "Health", summary: "Can events be taken in?", public: true,
		detail: "Says also whether a worker runs; events are taken in without one.",
		answers: []answer{
			{status: 200, about: "They can.", body: health{}},
			{status: 503, about: "They cannot; checks say why.", body: health{}},
		},
		handle: a.ready,
	}}
	if a.Metrics != nil {
		routes = append(routes, route{
			method: http.MethodGet, path: "/metrics", tag: "Health", summary: "Metrics for Prometheus", public: true,
			answers: []answer{{status: 200, about: "The metrics.", text: "text/plain"}},
			handle: func(w http.ResponseWriter, r *http.Request, _ Caller) error {
				a.Metrics.ServeHTTP(w, r)
				return nil
			},
		})
	}
	return routes
}

func (a *api) ready(w http.ResponseWriter, r *http.Request, _ Caller) error {
	body, status := health{Status: "ready"}, http.StatusOK
	if a.Health != nil {
		ctx, cancel := context.WithTimeout(r.Context(), checkWithin)
		defer cancel()
		body.Checks = a.Health.Checks(ctx)
	}
	for _, check := range body.Checks {
		if !check.OK && !check.Optional {
			body.Status, status = "not ready", http.StatusServiceUnavailable
		}
	}
	writeJSON(w, status, body)
	return nil
}
