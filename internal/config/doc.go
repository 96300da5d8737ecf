// Package config reads the operator's settings: one YAML file, in which every key is known, every value is checked, and
// every complaint names the line, what is wrong and what to write instead.
//
// It refuses to guess: an unknown key, a value that is not what it should be, a secret that is not there, or settings that
// do not fit together stop the server before it starts. The defaults are the safe ones.
package config
