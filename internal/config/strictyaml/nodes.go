package strictyaml

import (
	"github.com/goccy/go-yaml/ast"
)

// entry is one key of a mapping.
type entry struct {
	key   string
	value ast.Node
	line  int
}

// entries are a mapping's own keys and those merged in by <<, the own ones
// winning.
func (d *decoder) entries(node ast.Node, path string, line int) []entry {
	values, ok := mappingValues(node)
	if !ok {
		d.fault(line, path, "want keys and values, not %s", kindName(node))
		return nil
	}
	var own []entry
	var merged []ast.Node
	seen := map[string]int{}
	for _, value := range values {
		if value.Key.IsMergeKey() {
			merged = append(merged, value.Value)
			continue
		}
		key, at := nameOf(value.Key), lineOf(value.Key)
		if first, again := seen[key]; again {
			d.fault(at, join(path, key), "written twice; the first is on line %d", first)
			continue
		}
		seen[key] = at
		own = append(own, entry{key: key, value: value.Value, line: at})
	}
	for _, node := range merged {
		for _, e := range d.mergedEntries(node, path, line) {
			if _, again := seen[e.key]; !again {
				seen[e.key] = e.line
				own = append(own, e)
			}
		}
	}
	return own
}

// mergedEntries are the keys that a << brings in: of one mapping, or of each of
// a list.
func (d *decoder) mergedEntries(node ast.Node, path string, line int) []entry {
	node, ok := d.enter(node, path, line)
	if !ok {
		return nil
	}
	defer func() { d.depth-- }()
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return d.entries(node, path, line)
	}
	var all []entry
	for _, item := range list.Values {
		all = append(all, d.mergedEntries(item, path, line)...)
	}
	return all
}

// collectAnchors notes what each &name stands for; the last one wins.
func (d *decoder) collectAnchors(root ast.Node) {
	for _, node := range ast.Filter(ast.AnchorType, root) {
		if anchor, ok := node.(*ast.AnchorNode); ok && anchor.Name != nil {
			d.anchors[nameOf(anchor.Name)] = anchor.Value
		}
	}
}

func mappingValues(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	default:
		return nil, false
	}
}

// nameOf is the text of a key, an anchor's or an alias's name.
func nameOf(node ast.Node) string {
	switch n := node.(type) {
	case nil:
		return ""
	case *ast.MappingKeyNode:
		return nameOf(n.Value)
	case *ast.AnchorNode:
		return nameOf(n.Value)
	case *ast.TagNode:
		return nameOf(n.Value)
	}
	if text, ok := scalarText(node); ok {
		return text
	}
	if tok := node.GetToken(); tok != nil {
		return tok.Value
	}
	return ""
}

// scalarText is the text of a scalar as written, so that a text like 1.10 keeps
// its zero.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	default:
		return "", false
	}
}

func kindName(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	default:
		return "a text"
	}
}
