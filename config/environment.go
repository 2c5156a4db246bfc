package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	variablePrefix = "BILOXI_"
	fileSuffix     = "_FILE" // behind a variable that names a file with its value
)

// variable is one BILOXI_ variable that names a key.
type variable struct {
	name, value string
	path        string
	indexes     []int // of the tables on its way, for the order in which tables are added
}

// override sets what the environment says over cfg.
func (s *source) override(cfg *Config) {
	if s.places == nil {
		s.places = map[string]place{}
	}
	vars := s.variables()
	// Tables are added in the order of their numbers: 0, 1, 2, …
	slices.SortStableFunc(vars, func(a, b variable) int { return slices.Compare(a.indexes, b.indexes) })
	for _, v := range vars {
		maps.DeleteFunc(s.places, func(path string, _ place) bool { return strings.HasPrefix(path, v.path+".") })
		s.places[v.path] = place{offset: -1, variable: v.name}
		if err := set(reflect.ValueOf(cfg).Elem(), strings.Split(v.path, "."), v.value); err != nil {
			s.fail(v.path, "%v", err)
		}
	}
}

// variables returns those of the environment that name a key, and reports those that nearly do.
func (s *source) variables() []variable {
	var out []variable
	named := map[string]string{} // path → variable
	for _, entry := range s.environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, variablePrefix)
		if !ok || value == "" {
			continue
		}
		v := variable{name: name, value: value}
		if v.path, v.indexes, ok = resolveVariable(configType, rest); !ok {
			if v.path, v.indexes, ok = resolveVariable(configType, strings.TrimSuffix(rest, fileSuffix)); ok {
				secret, err := readSecret(value)
				if err != nil {
					s.errs = append(s.errs, &Error{File: s.name, Variable: name, Message: err.Error()})
					continue
				}
				v.value = secret
			}
		}
		switch {
		case ok && named[v.path] != "":
			s.errs = append(s.errs, &Error{File: s.name, Variable: name,
				Message: fmt.Sprintf("%s gives the same key; keep one of them", named[v.path])})
		case ok:
			named[v.path] = name
			out = append(out, v)
		case meant(rest):
			s.errs = append(s.errs, &Error{File: s.name, Variable: name, Message: unknownVariable(rest)})
		}
	}
	return out
}

// resolveVariable finds the key that REGISTRAR_MIN_EXPIRES or LISTEN_0_ADDRESS names.
func resolveVariable(t reflect.Type, rest string) (path string, indexes []int, ok bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("toml")
		behind, found := strings.CutPrefix(rest, strings.ToUpper(key))
		if !found {
			continue
		}
		if behind == "" && isLeaf(f.Type) {
			return key, nil, true
		}
		if behind, found = strings.CutPrefix(behind, "_"); !found || isLeaf(f.Type) {
			continue
		}
		inner, prefix := f.Type, key
		var index []int
		if inner.Kind() == reflect.Slice {
			digits, more, _ := strings.Cut(behind, "_")
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil {
				continue
			}
			inner, behind = inner.Elem(), more
			prefix, index = join(key, strconv.Itoa(int(n))), []int{int(n)}
		}
		if path, below, ok := resolveVariable(inner, behind); ok {
			return join(prefix, path), append(index, below...), true
		}
	}
	return "", nil, false
}

// isLeaf reports whether a key of the type has a value that one variable can hold.
func isLeaf(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() != reflect.Struct || isText(t)
}

// meant reports whether a variable that names no key was meant to: it begins with a table of ours, and is
// none of those that container platforms make for a service called biloxi.
func meant(rest string) bool {
	for _, platform := range []string{"_SERVICE_HOST", "_SERVICE_PORT", "_PORT"} {
		if strings.HasSuffix(rest, platform) || strings.Contains(rest, platform+"_") {
			return false
		}
	}
	table, _, _ := strings.Cut(rest, "_")
	_, ok := fieldOf(configType, strings.ToLower(table))
	return ok
}

func unknownVariable(rest string) string {
	var names []string
	for _, k := range keys {
		if !strings.Contains(k.path, "[]") {
			names = append(names, strings.ReplaceAll(k.path, ".", "_"))
		}
	}
	if near := nearest(strings.ToLower(rest), names); near != "" {
		return "no key has that name; did you mean " + variablePrefix + strings.ToUpper(near) + "?"
	}
	return "no key has that name; biloxi config reference lists all"
}

// set writes the text of a variable into the value at path.
func set(v reflect.Value, path []string, text string) error {
	for _, name := range path {
		if v.Kind() == reflect.Slice {
			i, _ := strconv.Atoi(name)
			if i > v.Len() {
				return fmt.Errorf("there are %d tables before it; the next has number %d", v.Len(), v.Len())
			}
			if i == v.Len() {
				v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			}
			v = v.Index(i)
			continue
		}
		f, _ := fieldOf(v.Type(), name)
		v = v.FieldByIndex(f.Index)
	}
	switch v.Kind() {
	case reflect.Slice:
		return setList(v, text)
	case reflect.Map:
		return setNames(v, text)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return setText(v.Elem(), text)
	}
	return setText(v, text)
}

// setList writes values with commas between them.
func setList(v reflect.Value, text string) error {
	list := reflect.MakeSlice(v.Type(), 0, 4)
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
		if err := setText(list.Index(list.Len()-1), one); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// setNames writes a table of names, each with a list: "a.example=192.0.2.1, a.example=192.0.2.2".
func setNames(v reflect.Value, text string) error {
	names := map[string][]string{}
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		name, value, ok := strings.Cut(one, "=")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			return fmt.Errorf("%q is no name with a value; write it as sip.example.com=192.0.2.1", one)
		}
		names[name] = append(names[name], value)
	}
	v.Set(reflect.ValueOf(names))
	return nil
}

func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	}
	if err != nil {
		return fmt.Errorf("%q is not %s", text, wanted(v.Type()))
	}
	return nil
}
