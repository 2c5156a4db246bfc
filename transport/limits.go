package transport

import (
	"time"

	"biloxi/sip"
)

// What [Limits] is where it says nothing.
const (
	// DefaultMaxConns is the number of connections in all. An idle one takes some 9 KiB over TLS, and 32 KiB if its peer
	// has sent records of the largest size; all together take 1.6 GiB at the worst, and more is a decision.
	DefaultMaxConns = 50_000

	// DefaultMaxConnsPerSource is the number of connections from one IPv4 address, or from one IPv6 /64; a /56, which
	// a customer has as a rule, may have twice as many. A company's phones share one NAT address, so it is large; a
	// carrier-grade NAT shares one address between some 2000 customers at the most. Those that we open to an address
	// are counted apart, with the same limit: a next hop takes one for each port and name, whatever is sent to it, so
	// that it is met by nobody but who has us connect to port after port of a host; and what others behind its address
	// have opened is no reason to refuse a call to it.
	DefaultMaxConnsPerSource = 4096

	// DefaultUnauthenticated is how long a connection may live before something on it is authenticated. A
	// phone registers as its first act; a minute leaves room for a slow link and a second try.
	DefaultUnauthenticated = time.Minute

	// DefaultIdle closes a connection on which nothing came for so long. It is above the hour that a
	// registration lasts by default, since a phone that sends no keep-alives says nothing until it
	// refreshes; one that does pings at least every 840 s (RFC 5626 §4.4.1). Peers that vanished are found
	// sooner by TCP's own probes.
	DefaultIdle = 65 * time.Minute

	// DefaultMessage is how long a message may take from its first byte on a stream to its last. It is
	// 64*T1: a request that took longer would have been given up by its sender (RFC 3261 §17.1.2.2).
	DefaultMessage = transactionLife

	// DefaultWriteQueue is how many bytes may wait for a connection that does not read: some 300 answers.
	DefaultWriteQueue = 256 << 10

	// DefaultWrite is how long what waits for a connection may take to leave: after 64*T1 no transaction
	// wants the answer any more.
	DefaultWrite = transactionLife

	// DefaultHandshake is how long a TLS handshake may take from its ClientHello on, and before that how long it may
	// wait for its turn: some round trips of a bad mobile link.
	DefaultHandshake = 10 * time.Second

	// DefaultMaxHandshakes is the number of TLS handshakes that we have answered and whose peer has not: over it, the
	// oldest of the source that has the most gives way. One costs 1-2 ms of CPU to begin, so that two cores give each
	// at least two seconds for the round trip; it holds some 30 KiB.
	DefaultMaxHandshakes = 4096

	// DefaultMaxUnfinished is how many bytes the messages that streams have begun and not finished may hold in all,
	// so that many peers that each send most of a message do not fill the memory. A quarter is for strangers, the
	// rest for the others; where it is full, who has held something for the longest gives way, of the source that
	// has the most of them.
	DefaultMaxUnfinished = 256 << 20

	// DefaultMaxQueued is the same of what waits for peers that do not read, and for connections that are being
	// opened. It is a thousand times WriteQueue: who does not read gets so far within a moment, or is not there.
	DefaultMaxQueued = 256 << 20

	// DefaultMaxDials is the number of connections that we are opening at once. A next hop takes one,
	// whatever is sent to it meanwhile; one that is not there takes it for DefaultDial, so that 100 dead ones
	// a second can be tried. Each costs a goroutine and what waits for it, which is of MaxQueued.
	DefaultMaxDials = 1024

	// DefaultDial is how long opening a connection may take, TLS not counted; a peer that takes longer is not
	// there. It leaves a request time for another next hop: it is given up after 32 s (RFC 3261 §17.1).
	DefaultDial = 10 * time.Second
)

const (
	// transactionLife is 64*T1: RFC 3261 §18 has a connection kept open at least so long after the last
	// message on it.
	transactionLife = 32 * time.Second

	// knownShare is the part of MaxConns that strangers leave to others: 1/4, for phones that have registered,
	// connections of our own, and what gives way and is not closed yet.
	knownShare = 4

	// maxConnsPerUser is how many connections of one user count as those of somebody who is known; a user has some
	// phones, and a PBX some lines. Without it one password would do to take all places.
	maxConnsPerUser = 64

	// wideShare is how many times more than an IPv6 /64 the /56 around it may have.
	wideShare = 2

	// leavingShare is the part of MaxConns that may have given way and not be closed yet, and leastLeaving the least
	// number: closing takes a moment, and who opens connections faster than that is refused.
	leavingShare = 16
	leastLeaving = 16

	// handshakeShare is the part of MaxHandshakes that one source may have: 1/2. A site whose phones all come back
	// at once over a slow link has a thousand under way.
	handshakeShare = 2

	// strangersShare is the part of MaxUnfinished and MaxQueued that strangers have: 1/4.
	strangersShare = 4

	// maxBacklogEnds is how many messages a list of those that wait may have had and be kept.
	maxBacklogEnds = 1024

	// firstFlight is how long a peer may take to send its ClientHello: it is the first that it sends, and needs
	// nothing of us.
	firstFlight = 5 * time.Second

	// helloPieces is how many records of a ClientHello are waited for before TLS begins to read it. All known
	// clients send it in one.
	helloPieces = 4

	// dialShare is the part of MaxDials that one host may have: 1/4, so that one that is not there, or that
	// has us open connections to many of its ports, does not shut out the others. One next hop needs one for
	// each port and name.
	dialShare = 4

	// oursShare is the part of MaxConns that we may open ourselves: 1/2, so that whoever can name us next hops
	// does not take the places of the phones.
	oursShare = 2

	// clientSessions is how many TLS sessions with next hops are remembered, to be resumed with fewer bytes
	// and no certificates. One costs some KiB.
	clientSessions = 256

	// routeLife is how long it is believed which address of ours the kernel sends from to a peer: asking
	// takes some 10 µs, and addresses change seldom. maxRoutes is how many peers it is remembered for, in
	// about 0.5 MiB.
	routeLife = 10 * time.Second
	maxRoutes = 4096

	// batchSize is the number of datagrams of one system call. More gains nothing that was measured, and
	// the first of a batch waits for the last.
	batchSize = 64

	// socketBuffer is asked for as the receive and send buffer of a UDP socket: 4 MiB hold some 2000
	// requests (the kernel bills a small datagram at its page), what a storm brings while a reader waits for
	// the CPU. The kernel caps it at net.core.rmem_max.
	socketBuffer = 4 << 20

	// streamSendBuffer is asked for as the send buffer of a connection, so that a peer that does not read
	// holds no more of the kernel's memory. Linux doubles it.
	streamSendBuffer = 64 << 10

	// readBuffer is what a connection borrows to read: most messages fit, and two page-sized ones do. It is also the
	// unit of all other memory that connections borrow.
	readBuffer = 8 << 10

	// outBuffer is where the answers of one batch are written; when less than outRoom is left they leave
	// early. An answer that does not fit is copied.
	outBuffer = 128 << 10
	outRoom   = 4 << 10

	// streamOutBuffer is outBuffer of a stream, borrowed for one read.
	streamOutBuffer = 16 << 10

	// maxPayload is the largest payload of a UDP datagram over IPv4 (65535 less 20 less 8).
	maxPayload = 65507

	// lingerBytes and lingerTime bound what is read and thrown away from a peer that is being closed after
	// an error, so that the answer on its way is not destroyed by a reset.
	lingerBytes = 256 << 10
	lingerTime  = 2 * time.Second

	// maxFarewells is how many answers may wait for a connection that is to end; its requests came before that, and
	// each waits for the one before it to have arrived.
	maxFarewells = 256

	// arrivalTime is how long it is waited that the peer's system takes such an answer, or tells that nobody is
	// there: some round trips.
	arrivalTime = 2 * time.Second

	// loopEvents is how many connections with something to read a loop takes at a time: what is written to the first
	// of them waits for the last.
	loopEvents = 32

	// keepAliveIdle, keepAliveInterval and keepAliveCount are TCP's own probes: a peer that vanished is
	// found after some 4 minutes, and a sleeping phone's radio is woken no more often than by RFC 5626's
	// own pings (95-120 s).
	keepAliveIdle     = 2 * time.Minute
	keepAliveInterval = 30 * time.Second
	keepAliveCount    = 4

	// bounceSize is as much of a datagram that came back as is read: ICMP quotes no more than fits into the
	// 1280 bytes that any network of IPv6 carries, 576 of IPv4's.
	bounceSize = 1280

	// sendTries is how often a datagram is given to the system, where each refusal may be for what ICMP said
	// of another: the kernel says it again for each error that is taken off its queue, at the same time.
	sendTries = 16

	// refusedTries is the same where the system says that nobody listens, which it never knows of the datagram itself:
	// each is one of those that ICMP has brought of others, of which a queue holds some hundreds.
	refusedTries = 1024

	// writeWait is how long, in ms, a writer waits for room in a socket before it looks whether the socket is being
	// closed. It seldom waits at all: what is sent leaves by itself.
	writeWait = 100

	// yieldEvery is how often a reader that waits on a thread of its own lets the runtime see that it does not hold
	// its processor: well within the 10 ms after which it would be taken away.
	yieldEvery = 4 * time.Millisecond

	// maxReadErrors is how many reads of a UDP socket may fail in a row before each is followed by a
	// readErrorPause, so that a socket that always fails does not take a core.
	maxReadErrors  = 16
	readErrorPause = 10 * time.Millisecond

	// noticePause keeps the log to a line a second for each reason, whatever comes.
	noticePause = time.Second

	// reservedDescriptors are file descriptors that connections leave to the rest of the process: of the journal and
	// its snapshot some ten, of the database its pool, of administration each command, of name servers a question each.
	reservedDescriptors = 256

	// secondShare is the part of the others that is for second descriptors, of peers that do not read: 1/8.
	secondShare = 8

	// shedAtOnce is how many strangers' connections give way when the system has no descriptor for a new one.
	shedAtOnce = 4

	// acceptRetry is the longest wait after an accept that failed, for want of file descriptors say.
	acceptRetry = time.Second
)

// Limits bounds what peers can take. A zero field stands for its default.
type Limits struct {
	MaxHead           int           // start-line and header section of a message on a stream, bytes; default [sip.MaxHead]
	MaxBody           int           // body of a message on a stream, bytes; default [sip.MaxBody]
	MaxConns          int           // default [DefaultMaxConns]
	MaxConnsPerSource int           // per IPv4 address or IPv6 /64, twice as many per /56; default [DefaultMaxConnsPerSource]
	Unauthenticated   time.Duration // until something on a connection is authenticated; default [DefaultUnauthenticated]
	Idle              time.Duration // at least 64*T1 = 32 s (RFC 3261 §18); default [DefaultIdle]
	Message           time.Duration // for one message to arrive; default [DefaultMessage]
	WriteQueue        int           // bytes per connection; default [DefaultWriteQueue]
	Write             time.Duration // for the queue to leave; default [DefaultWrite]
	Handshake         time.Duration // of TLS; default [DefaultHandshake]
	MaxHandshakes     int           // begun and not ended; default [DefaultMaxHandshakes]
	Handshaking       int           // that may use a processor at once, others wait; default: as many as there are processors
	MaxUnfinished     int           // bytes; default [DefaultMaxUnfinished]
	MaxQueued         int           // bytes; default [DefaultMaxQueued]
	MaxDials          int           // that we open at once; default [DefaultMaxDials]
	Dial              time.Duration // to open one; default [DefaultDial]

	// Descriptors is how many file descriptors the process may have: with fewer than MaxConns needs, there are fewer
	// connections. Default: what the system says, or with sockets that are not its own, as many as are wanted.
	Descriptors int
}

func (l Limits) withDefaults() Limits {
	orInt(&l.MaxHead, sip.MaxHead)
	orInt(&l.MaxBody, sip.MaxBody)
	orInt(&l.MaxConns, DefaultMaxConns)
	orInt(&l.MaxConnsPerSource, DefaultMaxConnsPerSource)
	orDuration(&l.Unauthenticated, DefaultUnauthenticated)
	orDuration(&l.Idle, DefaultIdle)
	orDuration(&l.Message, DefaultMessage)
	orInt(&l.WriteQueue, DefaultWriteQueue)
	orDuration(&l.Write, DefaultWrite)
	orDuration(&l.Handshake, DefaultHandshake)
	orInt(&l.MaxHandshakes, DefaultMaxHandshakes)
	orInt(&l.MaxUnfinished, DefaultMaxUnfinished)
	orInt(&l.MaxQueued, DefaultMaxQueued)
	orInt(&l.MaxDials, DefaultMaxDials)
	orDuration(&l.Dial, DefaultDial)
	return l
}

func orInt(v *int, otherwise int) {
	if *v == 0 {
		*v = otherwise
	}
}

func orDuration(v *time.Duration, otherwise time.Duration) {
	if *v == 0 {
		*v = otherwise
	}
}
