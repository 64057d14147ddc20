// Package recordings holds the tests that give the dialects' recordings to the vendors' official SDKs: what an SDK reads in an answer or
// a stream is what the dialect reads in it, and what the dialects write for an upstream an SDK can say as well.
package recordings
