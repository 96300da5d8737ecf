package verbs

import "io/fs"

// Steps reads migrations in the order of their names, which begin with their numbers.
func Steps(schema fs.FS) ([][]byte, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, n := range names {
		b, err := fs.ReadFile(schema, n)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
