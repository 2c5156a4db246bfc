package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference returns a configuration file that has every key, commented out, with its meaning, its unit
// and its default. It is made from the schema.
func Reference() []byte {
	var b strings.Builder
	b.WriteString("# The configuration of Biloxi: every key, with its default.\n" +
		"# Durations have a unit: 500ms, 60s, 5m, 24h. Sizes too: 500B, 64KiB, 4MiB, 1GiB.\n" +
		"# Environment variables stand above the file: BILOXI_REGISTRAR_MIN_EXPIRES, BILOXI_LISTEN_0_ADDRESS.\n" +
		"# With _FILE behind it, a variable names a file that holds the value.\n")
	for _, section := range sections {
		b.WriteByte('\n')
		if section.header != "" {
			writeComment(&b, section.meaning)
			fmt.Fprintf(&b, "# %s\n\n", section.header)
		}
		for i, k := range keysOfSection(section.header) {
			if i > 0 {
				b.WriteByte('\n')
			}
			writeComment(&b, k.meaning)
			fmt.Fprintf(&b, "# %s = %s\n", last(k.path), k.shown())
		}
	}
	return []byte(b.String())
}

// Markdown returns the reference as docs/configuration.md has it.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString(markdownHead)
	for _, section := range sections {
		if section.header != "" {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", section.header, section.meaning)
		} else {
			b.WriteString("\n## Top of the file\n")
		}
		b.WriteString("\n| key | value | default | meaning |\n|---|---|---|---|\n")
		for _, k := range keysOfSection(section.header) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", last(k.path), k.unit(), k.defaultCell(), k.meaning)
		}
	}
	return []byte(b.String())
}

const markdownHead = `# Configuration

This page is generated from the code (` + "`go test ./config -run Reference -update`" + `); a test keeps it in step.
` + "`biloxi config reference`" + ` prints the same as a commented file to start from, and ` + "`biloxi config check FILE`" + `
says with line and column what is wrong in one.

The file is TOML; ` + "`biloxi serve --config FILE`, or `BILOXI_CONFIG`" + ` in the environment, names it. Without a
file, or for a key that is not in it, the defaults hold: a server on loopback. Unknown keys are refused. A smallest useful file:

` + "```toml" + `
data = "/var/lib/biloxi"

[[domain]]
name = "biloxi.example.com"

[[listen]]
transport = "udp"
address = "0.0.0.0:5060"

[[listen]]
transport = "tcp"
address = "0.0.0.0:5060"
` + "```" + `

- **Durations** are texts with a unit: ` + "`\"500ms\"`, `\"60s\"`, `\"5m\"`, `\"24h\"`" + `. **Sizes** too: ` + "`\"64KiB\"`, `\"4MiB\"`" + `.
- **Relative paths** are relative to the folder of the file.
- **Environment variables** stand above the file: ` + "`BILOXI_`" + ` and the key's path in capitals, such as
  ` + "`BILOXI_DATA`, `BILOXI_REGISTRAR_MIN_EXPIRES`, `BILOXI_LISTEN_0_ADDRESS`" + ` (tables count from 0; the next number adds
  one). Lists are written with commas, and ` + "`dns.hosts` as `NAME=ADDRESS,NAME=ADDRESS`" + `. An empty variable is none. One
  that begins with the name of a table, as ` + "`BILOXI_REGISTRAR_`" + ` does, and names no key is an error; any other is passed
  over. Relative paths in variables are relative to the working directory.
- **Secrets**: every variable has a variant with ` + "`_FILE`" + ` behind it that names a file whose content is the value:
  ` + "`BILOXI_DOMAIN_0_REALM_FILE=/run/secrets/realm`" + `.
- **Reload**: SIGHUP reads the file and all certificates again. If anything is wrong, all of it stays as it was and the
  error is logged. ` + "`data`, `[[listen]]`, `[location]`, `[limits]` and `proxy.max_transactions`" + ` take a restart:
  a reload of a file in which they have changed is refused. Running calls go on over a reload.
`

// keysOfSection returns the keys that stand directly in a table.
func keysOfSection(header string) []key {
	prefix := strings.Trim(header, "[]")
	if strings.HasPrefix(header, "[[") {
		prefix += "[]"
	}
	var out []key
	for _, k := range keys {
		if parent(k.path) == prefix {
			out = append(out, k)
		}
	}
	return out
}

// value returns the default of a key, and its type; arrays of tables have no value.
func (k key) value() (v reflect.Value, t reflect.Type) {
	v = reflect.ValueOf(Default())
	t = v.Type()
	for _, name := range strings.Split(k.path, ".") {
		name, isArray := strings.CutSuffix(name, "[]")
		f, ok := fieldOf(t, name)
		if !ok {
			return reflect.Value{}, nil
		}
		if t = f.Type; v.IsValid() {
			v = v.FieldByIndex(f.Index)
		}
		if isArray {
			v, t = reflect.Value{}, t.Elem()
		}
	}
	return v, t
}

// shown returns what the reference file shows as the key's value: the default, or an example.
func (k key) shown() string {
	if k.example != "" {
		return k.example
	}
	v, _ := k.value()
	return literal(v)
}

func (k key) defaultCell() string {
	v, _ := k.value()
	switch {
	case strings.HasSuffix(k.path, ".algorithms"):
		return "`" + literal(reflect.ValueOf(DefaultAlgorithms)) + "`"
	case !v.IsValid() || v.IsZero() && (v.Kind() == reflect.String || v.Kind() == reflect.Slice || v.Kind() == reflect.Map):
		return "-"
	}
	return "`" + literal(v) + "`"
}

// unit says what kind of value the key takes.
func (k key) unit() string {
	_, t := k.value()
	switch t {
	case reflect.TypeFor[Duration]():
		return "duration"
	case reflect.TypeFor[Size]():
		return "size"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list of texts"
	case reflect.Map:
		return "table of lists"
	case reflect.Pointer, reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Float64:
		return "number"
	}
	return "text"
}

// literal writes a value as TOML.
func literal(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return fmt.Sprintf("%q", s)
	}
	switch v.Kind() {
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Float64:
		return fmt.Sprintf("%.1f", v.Float())
	}
	return fmt.Sprint(v.Interface())
}

// writeComment writes text as comment lines of a readable width.
func writeComment(b *strings.Builder, text string) {
	const width = 100
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
