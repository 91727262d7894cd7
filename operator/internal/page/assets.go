package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file of the page.
type asset struct {
	content []byte
	kind    string
	etag    string
}

// assets are all of them, by their path in a URL.
type assets map[string]asset

func loadAssets() (assets, error) {
	all := assets{}
	for name, kind := range map[string]string{
		"index.html": "text/html; charset=utf-8", "page.css": "text/css; charset=utf-8",
		"page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		content, err := assetFiles.ReadFile(path.Join("assets", name))
		if err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		sum := sha256.Sum256(content)
		at := "/" + name
		if name == "index.html" {
			at = "/{$}"
		}
		all[at] = asset{content, kind, `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return all, nil
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache") // a browser asks whether it changed
	w.Header().Set("ETag", a.etag)
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	_, _ = w.Write(a.content) // a client that went away needs no answer
}
