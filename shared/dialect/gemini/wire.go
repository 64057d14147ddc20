package gemini

import "encoding/json"

// answer is a GenerateContentResponse, whole or a piece of a stream.
type answer struct {
	Candidates []candidate     `json:"candidates,omitempty"`
	Feedback   *feedback       `json:"promptFeedback,omitempty"`
	Usage      json.RawMessage `json:"usageMetadata,omitempty"`
	Model      string          `json:"modelVersion,omitempty"`
	ID         string          `json:"responseId,omitempty"`
	CreateTime string          `json:"createTime,omitempty"`
	Error      json.RawMessage `json:"error,omitempty"`
}

type feedback struct {
	Reason  string `json:"blockReason,omitempty"`
	Message string `json:"blockReasonMessage,omitempty"`
}

// candidate is one of the answers. What stands beside its content is read for itself, so that a surprise there spoils no answer.
type candidate struct {
	Content   *content        `json:"content,omitempty"`
	Finish    string          `json:"finishReason,omitempty"`
	Message   string          `json:"finishMessage,omitempty"`
	Index     int             `json:"index"`
	Logprobs  json.RawMessage `json:"logprobsResult,omitempty"`
	Citations json.RawMessage `json:"citationMetadata,omitempty"`
	Grounding json.RawMessage `json:"groundingMetadata,omitempty"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts,omitempty"`
}

// part is one of the kinds, with a signature where the model gave one.
type part struct {
	Text      *string       `json:"text,omitempty"`
	Thought   bool          `json:"thought,omitempty"`
	Signature string        `json:"thoughtSignature,omitempty"`
	Inline    *blob         `json:"inlineData,omitempty"`
	File      *fileData     `json:"fileData,omitempty"`
	Call      *functionCall `json:"functionCall,omitempty"`
	Result    *functionData `json:"functionResponse,omitempty"`
	Code      *code         `json:"executableCode,omitempty"`
	Output    *codeOutput   `json:"codeExecutionResult,omitempty"`
}

type blob struct {
	Type string `json:"mimeType"`
	Data string `json:"data"`
}

type fileData struct {
	Type string `json:"mimeType,omitempty"`
	URI  string `json:"fileUri"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

type functionData struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
	Parts    []part          `json:"parts,omitempty"`
}

type code struct {
	Language string `json:"language,omitempty"`
	Code     string `json:"code"`
}

type codeOutput struct {
	Outcome string `json:"outcome,omitempty"`
	Output  string `json:"output,omitempty"`
}

type logprobs struct {
	Chosen []logprob `json:"chosenCandidates,omitempty"`
	Top    []topList `json:"topCandidates,omitempty"`
}

type topList struct {
	Candidates []logprob `json:"candidates,omitempty"`
}

type logprob struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logProbability"`
}

// citations are what a text was recited from. Vertex AI and AI Studio have different names for the list.
type citations struct {
	Vertex []source `json:"citations,omitempty"`
	Studio []source `json:"citationSources,omitempty"`
}

// source is a piece of the text, in bytes, and where it is from.
type source struct {
	Start int64  `json:"startIndex,omitempty"`
	End   int64  `json:"endIndex,omitempty"`
	URI   string `json:"uri,omitempty"`
	Title string `json:"title,omitempty"`
}

// grounding is what Google's own tools found, and which pieces of the text rest on it.
type grounding struct {
	Chunks   []groundingChunk   `json:"groundingChunks,omitempty"`
	Supports []groundingSupport `json:"groundingSupports,omitempty"`
}

type groundingChunk struct {
	Web       *groundingSource `json:"web,omitempty"`
	Retrieved *groundingSource `json:"retrievedContext,omitempty"`
	Maps      *groundingSource `json:"maps,omitempty"`
}

type groundingSource struct {
	URI   string `json:"uri,omitempty"`
	Title string `json:"title,omitempty"`
}

type groundingSupport struct {
	Segment segment `json:"segment"`
	Chunks  []int   `json:"groundingChunkIndices,omitempty"`
}

// segment counts bytes of a part's text.
type segment struct {
	Start int64  `json:"startIndex,omitempty"`
	End   int64  `json:"endIndex,omitempty"`
	Text  string `json:"text,omitempty"`
}

func textPart(text string) part { return part{Text: &text} }
