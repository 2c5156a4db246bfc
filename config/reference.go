package config

// Reference returns the commented reference of all keys.
func Reference() []byte { return nil }
