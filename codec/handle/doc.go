// Package handle is the text of receipt handles and of recall handles: what a client gives back
// to say which delivery, or which timer message, it means. Handles of a Java proxy and ours are
// the same text, so that both can stand behind one address during an upgrade.
//
// It is a pure function of bytes; time is an argument.
package handle
