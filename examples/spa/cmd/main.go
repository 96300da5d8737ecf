// Command cmd serves the single-page example by itself:
//
//	exeunt client add shop --kind browser --first-party --redirect http://127.0.0.1:8081/ --post-logout http://127.0.0.1:8081/ --audience https://api.example.com
//	ISSUER=https://id.example.com CLIENT_ID=shop API=https://api.example.com LISTEN=127.0.0.1:8081 go run ./examples/spa/cmd
package main

import (
	"log"
	"net/http"
	"os"

	"exeunt.dev/examples/spa"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), spa.Handler(os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("API"))))
}
