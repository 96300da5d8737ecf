package config

import _ "embed" // the example is a file, so that it can be read as one

//go:embed example.yaml
var example string

// Example is a commented configuration that works as it is.
func Example() string { return example }
