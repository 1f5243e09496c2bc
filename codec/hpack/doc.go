// Package hpack is header compression for HTTP/2 (RFC 7541), seen from a server: a full
// decoder, and of the encoder only what constant response blocks need.
//
// A [Decoder] is a value its connection owns. Once its table has grown to size it allocates
// nothing: fields are borrowed from the block, from the table or from a scratch, and are
// handed out one at a time by [Decoder.Next]. Limits are counted while decoding; past one,
// fields are no longer handed out but the table is still kept right, because the next block
// depends on it.
package hpack
