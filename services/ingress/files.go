package ingress

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Limits of an upload's form: one file and a few short fields.
const (
	maxParts      = 16
	maxField      = 1 << 10
	maxBoundary   = 70 // RFC 2046
	uploadTimeout = 30 * time.Second
)

// uploadFile streams the file of a multipart form to the bucket; the fields may come before it or after it.
func (s *Server) uploadFile(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && len(params["boundary"]) > maxBoundary {
		return gateway.Invalid("", "The multipart boundary is longer than %d characters.", maxBoundary)
	}
	r.Body = &patientBody{r.Body, http.NewResponseController(w)}
	form, err := r.MultipartReader()
	if err != nil {
		return gateway.Invalid("", "The body must be a multipart/form-data form.").WithCause(err)
	}
	u := upload{files: s.Files, principal: p, fields: map[string]string{}}
	if err := u.read(r.Context(), form); err != nil {
		u.discard(r.Context())
		return err
	}
	file, err := s.Files.Register(r.Context(), p, *u.spooled, u.description)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, file)
}

// patientBody waits for a caller as long as something arrives now and then.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(uploadTimeout))
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}

// upload is a form as far as it has been read.
type upload struct {
	files       *batch.Files
	principal   gateway.Principal
	fields      map[string]string
	spooled     *batch.Spooled
	description batch.Description
}

func (u *upload) read(ctx context.Context, form *multipart.Reader) error {
	for n := 0; ; n++ {
		part, err := form.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return u.finish()
		case err != nil:
			return gateway.Invalid("", "The form did not arrive whole.").WithCause(err)
		case n == maxParts:
			return gateway.Invalid("", "The form has more than %d parts.", maxParts)
		case part.FormName() == "file":
			err = u.file(ctx, part)
		default:
			err = u.field(part)
		}
		if err != nil {
			return err
		}
	}
}

func (u *upload) file(ctx context.Context, part *multipart.Part) error {
	switch {
	case u.spooled != nil:
		return gateway.Invalid("file", "The form has more than one file.")
	case part.FileName() == "":
		return gateway.Invalid("file", "The file has no filename.")
	}
	u.description.Filename = part.FileName()
	spooled, err := u.files.Spool(ctx, u.principal, part)
	if err != nil {
		return err
	}
	u.spooled = &spooled
	return nil
}

func (u *upload) field(part *multipart.Part) error {
	name := part.FormName()
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch _, twice := u.fields[name]; {
	case err != nil:
		return gateway.Invalid("", "The form did not arrive whole.").WithCause(err)
	case len(value) > maxField || len(name) > maxField:
		return gateway.Invalid("", "A form field is longer than %d bytes.", maxField)
	case twice:
		return gateway.Invalid(name, "The form field is given twice.")
	}
	u.fields[name] = string(value)
	return nil
}

// finish makes the description of the fields.
func (u *upload) finish() error {
	if u.spooled == nil {
		return gateway.Invalid("file", "Missing required parameter: 'file'.")
	}
	u.description.Purpose = u.fields["purpose"]
	seconds, given := u.fields["expires_after[seconds]"]
	life, err := lifetime("expires_after", u.fields["expires_after[anchor]"], seconds, given)
	u.description.ExpiresAfter = life
	return err
}

// lifetime reads what OpenAI calls an expiration policy. None given is zero.
func lifetime(param, anchor, seconds string, given bool) (time.Duration, error) {
	if !given && anchor == "" {
		return 0, nil
	}
	if anchor != "created_at" {
		return 0, gateway.Invalid(param+"[anchor]", "%s[anchor] must be 'created_at'.", param)
	}
	n, err := strconv.ParseInt(seconds, 10, 32)
	if err != nil || n <= 0 {
		return 0, gateway.Invalid(param+"[seconds]", "%s[seconds] must be a whole number between 3600 and 2592000.", param)
	}
	return time.Duration(n) * time.Second, nil
}

// discard removes what was stored of a form that is refused.
func (u *upload) discard(ctx context.Context) {
	if u.spooled != nil {
		u.files.Discard(ctx, *u.spooled)
	}
}

func (s *Server) listFiles(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	q := r.URL.Query()
	page, err := pageOf(q)
	if err != nil {
		return err
	}
	order := q.Get("order")
	if order != "" && order != "asc" && order != "desc" {
		return gateway.Invalid("order", "order must be 'asc' or 'desc'.")
	}
	files, err := s.Files.List(r.Context(), p, page, q.Get("purpose"), order == "asc")
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, files)
}

// pageOf reads the query parameters that every list has.
func pageOf(q url.Values) (batch.Page, error) {
	page := batch.Page{After: q.Get("after")}
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n <= 0 {
			return page, gateway.Invalid("limit", "limit must be a whole number above 0.")
		}
		page.Limit = n
	}
	return page, nil
}

func (s *Server) getFile(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	file, err := s.Files.Get(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, file)
}

// fileContent sends a file's bytes. If they cannot be read to the end the connection breaks, so that nobody takes a part for
// the whole.
func (s *Server) fileContent(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	file, content, err := s.Files.Content(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.FormatInt(file.Bytes, 10))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Filename}))
	w.WriteHeader(http.StatusOK)
	if n, err := io.Copy(w, content); err != nil || n != file.Bytes {
		s.Log.WarnContext(r.Context(), "file content was cut", "file", file.ID, "sent", n, "bytes", file.Bytes, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	deleted, err := s.Files.Delete(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, deleted)
}
