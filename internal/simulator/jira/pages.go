package jira

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
)

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{with .Issue}}{{.Key}} {{.Summary}}{{else}}Tickets{{end}}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#172b4d;background:#fff}
a{color:#0052cc;text-decoration:none}a:hover{text-decoration:underline}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #dfe1e6;vertical-align:top}
.tag{display:inline-block;border-radius:3px;padding:0 .4rem;font-size:.8rem;background:#dfe1e6;margin-right:.3rem}
.done{background:#abf5d1}.indeterminate{background:#b3d4ff}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
.comment{border-left:3px solid #dfe1e6;padding:.2rem 0 .2rem 1rem;margin:1rem 0}.internal{border-color:#ffc400;background:#fffae6}
small{color:#5e6c84}
</style></head><body>
<p><small>A simulated Jira{{if .Issue}} · <a href="/">all tickets</a>{{end}}</small></p>
{{with .Issue}}
<h1>{{.Key}} {{.Summary}}</h1>
<p><span class="tag {{category .Status}}">{{.Status}}</span><span class="tag">{{.Type}}</span><span class="tag">{{.Priority}}</span>
{{with .Resolution}}<span class="tag">{{.}}</span>{{end}}</p>
<p><small>Created {{when .Created}} · changed {{when .Updated}}{{with .DueDate}} · due {{.}}{{end}}{{with .Assignee}} · {{who .}}{{end}}</small></p>
<div class="text">{{text .Description}}</div>
<p>{{range .Labels}}<span class="tag">{{.}}</span>{{end}}</p>
<h2>Comments ({{len .Comments}})</h2>
{{range .Comments}}<div class="comment{{if .Internal}} internal{{end}}"><small>{{who .Author}}, {{when .Created}}{{if .Internal}} · internal{{end}}</small>
<div class="text">{{text .Body}}</div></div>{{else}}<p><small>None yet.</small></p>{{end}}
{{else}}
<h1>Tickets ({{len .Issues}})</h1>
<table><tr><th>Key</th><th>Summary</th><th>Status</th><th>Comments</th><th>Changed</th></tr>
{{range .Issues}}<tr><td><a href="/browse/{{.Key}}">{{.Key}}</a></td><td>{{.Summary}}</td>
<td><span class="tag {{category .Status}}">{{.Status}}</span></td><td>{{len .Comments}}</td><td><small>{{when .Updated}}</small></td></tr>
{{else}}<tr><td colspan="5"><small>None yet.</small></td></tr>{{end}}</table>
{{end}}</body></html>`

// pageRows bounds the list of tickets, newest first.
const pageRows = 500

// pages routes what a person looks at.
func (s *Simulator) pages() {
	page := template.Must(template.New("page").Funcs(template.FuncMap{
		"category": categoryOf, "when": stamp, "text": Text,
		"who": func(id string) string {
			if u := s.user(id); u != nil {
				return u.Name
			}
			return id
		},
	}).Parse(pageText))
	show := func(w http.ResponseWriter, data map[string]any) {
		var b strings.Builder
		if err := page.Execute(&b, data); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(b.String())) // the browser may be gone
	}
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		issues := s.Issues()
		slices.Reverse(issues)
		show(w, map[string]any{"Issues": issues[:min(len(issues), pageRows)], "Issue": nil})
	})
	s.mux.HandleFunc("GET /browse/{key}", func(w http.ResponseWriter, r *http.Request) {
		key := r.PathValue("key")
		for _, i := range s.Issues() {
			if i.Key == key || slices.Contains(i.OldKeys, key) {
				show(w, map[string]any{"Issue": &i})
				return
			}
		}
		http.Error(w, "There is no ticket "+key+".", http.StatusNotFound)
	})
}
