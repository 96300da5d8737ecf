// Package config reads the configuration file: strictly, with the line, what is wrong and what to write instead. Its defaults are the
// safe ones; whatever is dangerous must be typed by hand.
package config
