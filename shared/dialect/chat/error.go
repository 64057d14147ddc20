package chat

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// body is OpenAI's error object.
type body struct {
	Error detail `json:"error"`
}

type detail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// EncodeError writes an error as OpenAI does, all four keys present.
func EncodeError(e *gateway.Error) []byte {
	d := detail{Message: e.Message, Type: e.Type(), Code: e.Code}
	if d.Code == "" {
		d.Code = strconv.Itoa(e.Status())
	}
	if e.Param != "" {
		d.Param = &e.Param
	}
	text, _ := json.Marshal(body{d}) // strings only: cannot fail
	return text
}

// DecodeError reads a provider's error answer. Status 0 is an error that came under a good status, or inside a stream.
// Of the provider's text only a capped message goes on; what a provider sends is not trusted to be of the format.
func DecodeError(status int, h http.Header, text []byte) *gateway.Error {
	var vendor struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	var d struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Param   any    `json:"param"`
		Code    any    `json:"code"`
	}
	if json.Unmarshal(text, &vendor) == nil && json.Unmarshal(vendor.Error, &d) != nil {
		_ = json.Unmarshal(vendor.Error, &d.Message) // some send a bare string
	}
	if d.Message == "" {
		d.Message = vendor.Message
	}
	if n, ok := d.Code.(float64); ok && status == 0 && n >= 400 && n < 600 {
		status = int(n)
	}
	e := dialect.VendorError(status, h, d.Message)
	if e.Param, _ = d.Param.(string); len(e.Param) > 64 {
		e.Param = ""
	}
	if code, ok := d.Code.(string); ok && len(code) <= 64 {
		e.Code = code
	}
	return e
}
