package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// place is where a value of the configuration came from.
type place struct {
	offset   int    // into the file; -1 if it came from no file
	variable string // the environment variable that it came from
}

// shape walks a TOML document along the schema. It finds keys that do not exist and values of the wrong
// kind, which the decoder would take too generously (a duration without its unit), and notes where each
// value stands, for the errors of [validate].
type shape struct {
	parser unstable.Parser
	places map[string]place // by path: "registrar.min_expires", "domain.0.aliases.1"
	counts map[string]int   // tables seen of an array of tables, by path
	errs   []shapeError
}

type shapeError struct {
	offset  int
	message string
}

// readShape walks doc, which must be TOML.
func readShape(doc []byte) *shape {
	s := &shape{places: map[string]place{}, counts: map[string]int{}}
	s.parser.Reset(doc)
	table, typ := "", configType
	for s.parser.NextExpression() {
		n := s.parser.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table, typ = s.header(n)
		case unstable.KeyValue:
			if typ != nil {
				s.keyValue(n, table, typ)
			}
		}
	}
	return s
}

var configType = reflect.TypeFor[Config]()

func (s *shape) fail(offset int, format string, args ...any) {
	s.errs = append(s.errs, shapeError{offset, fmt.Sprintf(format, args...)})
}

// header reads [a.b] or [[a.b]]. The type is nil if there is no such table, so that what stands below it
// is passed over.
func (s *shape) header(n *unstable.Node) (path string, typ reflect.Type) {
	typ = configType
	it := n.Key()
	for it.Next() {
		key, last := it.Node(), it.IsLast()
		name, at := string(key.Data), int(key.Raw.Offset)
		field, ok := fieldOf(typ, name)
		if !ok {
			s.unknown(at, "table", name, path, typ)
			return "", nil
		}
		path = join(path, name)
		typ = field.Type
		isArray := typ.Kind() == reflect.Slice && !isLeaf(typ)
		switch {
		case typ.Kind() == reflect.Map && last && n.Kind == unstable.Table:
		case typ.Kind() == reflect.Map && !last:
			s.fail(at, "%s has no tables: write \"NAME\" = … in [%s], the name in quotes", name, path)
			return "", nil
		case isArray && last && n.Kind == unstable.ArrayTable:
			path, typ = join(path, strconv.Itoa(s.counts[path])), typ.Elem()
			array := path[:strings.LastIndexByte(path, '.')]
			s.counts[array]++
		case isArray && last:
			s.fail(at, "%s may be given more than once: write [[%s]], in double brackets", name, path)
			return "", nil
		case isArray:
			path, typ = join(path, strconv.Itoa(max(0, s.counts[path]-1))), typ.Elem()
		case typ.Kind() != reflect.Struct:
			s.fail(at, "%s is a key, not a table: write %s = …", name, name)
			return "", nil
		case last && n.Kind == unstable.ArrayTable:
			s.fail(at, "%s is given once: write [%s], in single brackets", name, path)
			return "", nil
		}
		s.places[path] = place{offset: at}
	}
	return path, typ
}

// keyValue reads a.b = value inside a table.
func (s *shape) keyValue(n *unstable.Node, path string, typ reflect.Type) {
	it := n.Key()
	at := 0
	for it.Next() {
		name := string(it.Node().Data)
		at = int(it.Node().Raw.Offset)
		if typ.Kind() == reflect.Map {
			if !it.IsLast() {
				s.dotted(it, at, name)
				return
			}
			path, typ = join(path, name), typ.Elem()
			break
		}
		if typ.Kind() != reflect.Struct || isText(typ) {
			s.fail(at, "%s has no keys of its own", path)
			return
		}
		field, ok := fieldOf(typ, name)
		if !ok {
			s.unknown(at, "key", name, path, typ)
			return
		}
		path, typ = join(path, name), field.Type
	}
	s.value(n.Value(), at, path, typ)
}

// dotted reports a host name that stands without quotes, which TOML takes for tables within tables.
func (s *shape) dotted(it unstable.Iterator, at int, name string) {
	for it.Next() {
		name += "." + string(it.Node().Data)
	}
	s.fail(at, "a name with dots stands in quotes: write %q = …", name)
}

// value reads a value that stands at, or behind, the offset at.
func (s *shape) value(n *unstable.Node, at int, path string, typ reflect.Type) {
	if n.Raw.Length > 0 {
		at = int(n.Raw.Offset)
	}
	s.places[path] = place{offset: at}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem() // a key that may be left out
	}
	switch {
	case isText(typ):
		if s.expect(n, at, path, typ, unstable.String) {
			s.text(n, at, path, typ)
		}
	case typ.Kind() == reflect.Struct, typ.Kind() == reflect.Map:
		if s.expect(n, at, path, typ, unstable.InlineTable) {
			it := n.Children()
			for it.Next() {
				s.keyValue(it.Node(), path, typ)
			}
		}
	case typ.Kind() == reflect.Slice:
		if s.expect(n, at, path, typ, unstable.Array) {
			it := n.Children()
			for i := 0; it.Next(); i++ {
				s.value(it.Node(), at, join(path, strconv.Itoa(i)), typ.Elem())
			}
		}
	case typ.Kind() == reflect.String:
		s.expect(n, at, path, typ, unstable.String)
	case typ.Kind() == reflect.Bool:
		s.expect(n, at, path, typ, unstable.Bool)
	case typ.Kind() == reflect.Int:
		s.expect(n, at, path, typ, unstable.Integer)
	case typ.Kind() == reflect.Float64:
		s.expect(n, at, path, typ, unstable.Float, unstable.Integer)
	}
}

// text tries the value's own reading of its text, which the decoder passes over for kinds of string.
func (s *shape) text(n *unstable.Node, at int, path string, typ reflect.Type) {
	err := reflect.New(typ).Interface().(encoding.TextUnmarshaler).UnmarshalText(n.Data)
	if err != nil {
		s.fail(at, "%s: %v", last(path), err)
	}
}

func (s *shape) expect(n *unstable.Node, at int, path string, typ reflect.Type, kinds ...unstable.Kind) bool {
	for _, k := range kinds {
		if n.Kind == k {
			return true
		}
	}
	s.fail(at, "%s is %s, not %s", last(path), wanted(typ), kindName(n.Kind))
	return false
}

// unknown reports a key that is not there, with the nearest one that is.
func (s *shape) unknown(at int, what, name, path string, typ reflect.Type) {
	where := "here"
	if path != "" {
		where = "in [" + withoutIndex(path) + "]"
	}
	names := keysOf(typ)
	if near := nearest(name, names); near != "" {
		s.fail(at, "unknown %s %q %s; did you mean %q?", what, name, where, near)
		return
	}
	s.fail(at, "unknown %s %q %s; there are %s", what, name, where, strings.Join(names, ", "))
}

// isText reports whether values of the type are read from text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// fieldOf returns the field of a struct that has that key.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("toml") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func keysOf(t reflect.Type) []string {
	out := make([]string, t.NumField())
	for i := range out {
		out[i] = t.Field(i).Tag.Get("toml")
	}
	return out
}

// wanted says in words what a value of the type is.
func wanted(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return `a duration in quotes with its unit, such as "60s"`
	case reflect.TypeFor[Size]():
		return `a size in quotes with its unit, such as "64KiB"`
	}
	if isText(t) {
		return "a text in quotes"
	}
	switch t.Kind() {
	case reflect.Struct:
		return "a table"
	case reflect.Map:
		return `a table of names, such as { "sip.example.com" = ["192.0.2.1"] }`
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Slice:
		if !isLeaf(t) {
			return "an array of tables, in double brackets"
		}
		return `a list, such as ["a", "b"]`
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a text in quotes"
}

func kindName(k unstable.Kind) string {
	switch k {
	case unstable.String:
		return "a text"
	case unstable.Bool:
		return "a boolean"
	case unstable.Integer:
		return "a number"
	case unstable.Float:
		return "a number with a fraction"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "a date or time"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// last returns the last name of a path that is no index. What stands below a table of host names goes by the
// table's name: host names have dots of their own.
func last(path string) string {
	if path == hostsPath || strings.HasPrefix(path, hostsPath+".") {
		path = hostsPath
	}
	path = withoutIndex(path)
	return path[strings.LastIndexByte(path, '.')+1:]
}

// withoutIndex takes the indexes out of a path: "domain.0.name" is "domain.name".
func withoutIndex(path string) string {
	parts := strings.Split(path, ".")
	kept := parts[:0]
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ".")
}
