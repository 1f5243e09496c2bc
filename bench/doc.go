// Package bench measures the whole proxy, as a process, from outside.
//
// Its benchmarks start a stub name server and broker that answers at once, put
// each peer (this proxy, a grpc-go server of the same service, a raw byte
// relay) in front of it in turn, and drive each with the same load. The folders:
// load is the generator, scenario the named workloads, stub the other side,
// relay and baseline the peers, peer their processes, report the figures;
// hostclock is the time that all of them share.
//
// Nothing of the project imports bench.
package bench
