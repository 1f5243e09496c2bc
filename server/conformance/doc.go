// Package conformance lets official clients talk to the proxy, in Local mode and
// in front of a real broker, and checks what they hear: one test source for both.
// It is a module of its own, because the official Go client registers the same
// protobuf names as codec/apiv2 and the two would panic in one binary. It holds
// tests only; nobody imports it.
//
// What stands where:
//
//	cluster/   a name server and a broker of the real thing, in their own processes
//	proxy/     the proxy under test, in its own process
//	content/   messages made from a seed and an index, so that both ends know every byte
//	client/    the test's end of the line protocol that client programs speak
//	cache/     what takes long to fetch or to build, kept from run to run
//	goclient/, java/, node/, python/, rust/  the programs around the official clients
package conformance
