package diskblob

import (
	"path"
	"strings"
)

// An object's file has the object's name. The folders on the way to it end in "~", which no name contains, so an object
// "a" can stand beside objects in "a/". A name's element that is longer than a file name may be is cut into pieces, and
// the folder of a piece that goes on ends in "~~".
const (
	folderMark = "~"
	pieceMark  = "~~"
	maxPiece   = 200 // bytes; file systems commonly take 255
	tempFolder = "~tmp"
)

// filePath is where an object is kept, relative to the bucket's folder.
func filePath(name string) string {
	var p strings.Builder
	for i, element := range strings.Split(name, "/") {
		if i > 0 {
			p.WriteString(folderMark + "/")
		}
		for len(element) > maxPiece {
			p.WriteString(element[:maxPiece] + pieceMark + "/")
			element = element[maxPiece:]
		}
		p.WriteString(element)
	}
	return p.String()
}

// objectName is the inverse of filePath.
func objectName(file string) string {
	return strings.ReplaceAll(strings.ReplaceAll(file, pieceMark+"/", ""), folderMark+"/", "/")
}

// prefixFolder is the deepest folder that holds every object whose name begins with prefix.
func prefixFolder(prefix string) string {
	dir := prefix[:strings.LastIndex(prefix, "/")+1]
	return path.Dir(filePath(dir + "x"))
}
