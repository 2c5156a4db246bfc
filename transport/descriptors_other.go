//go:build !unix

package transport

// systemDescriptors is not known here.
func systemDescriptors() int { return 0 }
