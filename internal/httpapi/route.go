package httpapi

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// route is one method on one path, with what the OpenAPI document says of it.
type route struct {
	method, path string
	// rest: the path's last parameter may have slashes in it.
	rest    bool
	tag     string
	summary string
	detail  string
	// public paths need no token, those of admin one that may manage integrations.
	// General ones need a token, but are about no integration.
	public, admin, general bool
	// operator is the one of the unified ticketing API that the route is; empty
	// for all others.
	operator   ticketing.Operator
	parameters []parameter
	// body is a value of the type that the call carries in JSON, nil for none.
	// or is a value of another one that it may carry instead.
	body, or any
	// media are the other forms that it may have.
	media   []media
	answers []answer
	// within is how long an answer may take; 0 means AnswerWithin.
	within time.Duration
	handle handler
}

// parameter of a path, query or header.
type parameter struct {
	name, in, about string
}

// media is a form of a body that has a content type of its own.
type media struct {
	kind string
	// body is a value of its type, nil where it is the bytes of a file.
	body any
}

// answer is one status a route answers with; body is a value of its type.
type answer struct {
	status  int
	about   string
	body    any
	headers []string
	// or is a value of another type that the body may have; headers come with
	// the first one only.
	or any
	// text is the content type where it is no JSON, but a text.
	text string
	// media are the other forms that it may have.
	media []media
}

// mux serves the routes; every other path and method is answered in JSON, too.
func (a *api) mux(routes []route) http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, rt := range routes {
		pattern := rt.path
		if pattern == "/" {
			pattern = "/{$}"
		}
		if rt.rest {
			pattern = strings.TrimSuffix(rt.path, "}") + "...}"
		}
		mux.HandleFunc(rt.method+" "+pattern, a.serve(rt))
		allowed[pattern] = append(allowed[pattern], rt.method)
	}
	for pattern, methods := range allowed {
		for _, method := range allMethods() {
			if !slices.Contains(methods, method) {
				mux.HandleFunc(method+" "+pattern, a.wrongMethod(methods))
			}
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, ErrNotFound)
	})
	return mux
}

// allMethods are those that a path can refuse; HEAD comes with GET.
func allMethods() []string {
	return []string{
		http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace,
	}
}

func (a *api) wrongMethod(methods []string) http.HandlerFunc {
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	allow := strings.Join(methods, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		a.fail(w, r, &refusal{status: http.StatusMethodNotAllowed, detail: "This path takes " + allow + "."})
	}
}

// cleanPath takes doubled and trailing slashes out of the path before the mux
// sees it. The mux would redirect, and many clients make a GET of a redirected
// POST: a base URL that ends in a slash would lose events. It works on the
// escaped path, so that a slash within an id stays there.
func cleanPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		clean := path.Clean("/" + escaped)
		if clean != escaped {
			plain, err := url.PathUnescape(clean)
			if err == nil {
				copied := *r.URL
				copied.Path, copied.RawPath = plain, clean
				second := *r
				second.URL = &copied
				r = &second
			}
		}
		next.ServeHTTP(w, r)
	})
}
