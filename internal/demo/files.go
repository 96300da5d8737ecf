package demo

import "embed"

//go:embed page
var files embed.FS
