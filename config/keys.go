package config

// key documents one key of the file. Types, units and defaults come from the schema itself; a test keeps
// this table and the schema in step.
type key struct {
	path    string // arrays of tables end in []: "domain[].name"
	meaning string
	example string // for a key whose default shows nothing, in TOML
}

// keys are all keys, in the order of the reference.
var keys = []key{
	{"data", "Folder that bindings, subscribers, secrets and the control socket are kept in. It is made if it is not there, for its owner alone. One server at a time uses it. A relative path in the file is relative to the file; the default is relative to the working directory.", ""},

	{"domain[].name", "The domain, as it stands behind the @ of an address of record. Required. Without any [[domain]], the one domain is localhost, with the aliases 127.0.0.1 and [::1].", `"biloxi.example.com"`},
	{"domain[].realm", "Realm of the domain's challenges, which phones show and passwords are bound to: after a change all passwords must be set again. Default: the name.", `"biloxi.example.com"`},
	{"domain[].aliases", "Other hosts that stand for the domain in a Request-URI or an address of record: names of the server, its addresses.", `["sip.example.com", "192.0.2.10"]`},
	{"domain[].algorithms", "Challenges that are offered, in this order: MD5, SHA-256, SHA-512-256. Default: MD5 alone, because it is the one offer that all clients answer: sipp, sipsak and JsSIP know only MD5 and read only the first challenge, and baresip 1.0 gives up as soon as any challenge names another algorithm. Where all phones are younger, make it [\"SHA-256\", \"MD5\"], or [\"SHA-256\"]; subscribers need no new passwords for that, but for those that were imported with an HA1-MD5 alone. docs/peers.md says what each peer does.", `["SHA-256", "MD5"]`},
	{"domain[].third_party", "Users of the domain who may register contacts for all of its addresses of record, not only their own.", `["provisioning"]`},
	{"domain[].mode", "What becomes of a call to one of its users. proxy: it is forwarded to the user's phones. redirect: it is answered 302 with their contacts, and the caller goes there himself; this works where callers reach the phones without the server. Default: proxy.", `"proxy"`},
	{"domain[].callers", "Who may call its users. anyone: whoever reaches the server; a caller whose From is of a domain that is served here proves it all the same. authenticated: whoever is not trusted is challenged (407), with this domain's realm unless his From is of another domain that is served here: only subscribers of this server and trusted peers call. Not with mode redirect. Default: anyone.", `"authenticated"`},

	{"listen[].transport", "udp, tcp or tls. Without any [[listen]], the server listens on 127.0.0.1:5060 by udp and tcp.", `"udp"`},
	{"listen[].address", "IP address and port. 0.0.0.0 is every IPv4 address, [::] every address of both families (of IPv4 alone where IPv6 is off, of IPv6 alone where another [[listen]] has an IPv4 address at the same port). Port 0 is any free one. The busiest udp listener stands first: it gets a thread of its own.", `"192.0.2.10:5060"`},
	{"listen[].advertise", "Name or address that others reach this listener by: it stands in Via and Record-Route. Without a port it has the listener's; the transport's own, 5060 or 5061, is not written, so that a name may have SRV records. An IPv6 address has brackets. Needed behind a NAT or a load balancer, and for TLS, whose certificates are for names. Default: the address that a message leaves from.", `"sip.example.com"`},

	{"transport.rport", "Where a request over UDP is answered whose Via has no rport, as many phones send it (Cisco, Polycom, SPA, older Yealink). auto: at the address and port that it came from where sent-by is a name, or an address that only its own network knows and that is not the source's: the phone is behind a NAT. Otherwise at the port of sent-by, as RFC 3261 §18.2.2 has it: some phones send from another port than they listen to. always: at its source. never: at the port of sent-by. With rport it always goes to the source (RFC 3581).", ""},

	{"tls.certificate", "PEM file with the server's certificate and what leads to its CA. Required by a tls listener. It is read again at a reload.", `"cert.pem"`},
	{"tls.key", "PEM file with the certificate's private key.", `"key.pem"`},
	{"tls.min_version", "The lowest version of TLS that is spoken: 1.2 or 1.3.", ""},
	{"tls.client_certificates", "none: clients are not asked for a certificate. request: they are, and one that is given must be valid. require: no connection without a valid one.", ""},
	{"tls.client_ca", "PEM file with the CAs that sign clients' certificates. Required by request and require.", `"clients.pem"`},
	{"tls.ca", "PEM file with the CAs that sign the servers that this one connects to, instead of those of the system. It is read again at a reload.", `"peers.pem"`},
	{"tls.sni[].certificate", "As tls.certificate, for clients that ask for one of the names in it; wildcards count for nothing (RFC 5922).", `"example.org.pem"`},
	{"tls.sni[].key", "As tls.key.", `"example.org.key"`},

	{"registrar.default_expires", "Granted to a SIP contact that asks for no expiry. Contacts of other schemes that ask for none do not expire.", ""},
	{"registrar.min_expires", "A contact that asks for less, but not 0, is refused with 423 and Min-Expires. At most 1h: RFC 3261 §10.3 has no refusal for those who ask for more than that.", ""},
	{"registrar.max_expires", "A contact that asks for more gets this.", ""},
	{"registrar.max_contacts", "Contacts that one address of record may have. Over it, one whose connection has closed makes room, then one that looks like an earlier address of the phone that registers; else when_full says what happens.", ""},
	{"registrar.jitter", "Granted expiries are shortened at random by up to this share, from 0 to 0.5, so that phones that came back together do not refresh together for ever.", ""},
	{"registrar.when_full", "A REGISTER that would make more contacts than max_contacts, when none of those there is known to be of no use: refuse (500 with Retry-After), or oldest (the one that was refreshed longest ago goes; for phones that come with another address every time and never say which one was theirs).", ""},
	{"registrar.lenient_cseq", "Take a REGISTER with the Call-ID of a binding and a CSeq that is not higher. RFC 3261 refuses it; some phones start again at 1 after a reboot, with the same Call-ID. Leave it off unless you have such phones: it lets an old REGISTER that comes late undo a new one.", ""},
	{"registrar.path_without_support", "A REGISTER with a Path whose client does not say that it supports it (RFC 3327): refuse (420, as the RFC recommends), or accept (the path is stored and used; for edge proxies in front of ordinary phones).", ""},
	{"registrar.first_hop_without_outbound", "A REGISTER with reg-id and Supported: outbound that came through a proxy which does no outbound (RFC 5626): refuse (439, as the RFC has it), or ignore (the reg-id does not count, and the 200 does not say outbound; for phones behind a load balancer that do not try again without).", ""},
	{"registrar.contacts_at_source", "Take only contacts that lead to where they are registered from, or to users here; any other is refused with 403. Then nobody can have calls sent to a host that does not want them; but no phone can be registered from elsewhere, and none by a name that DNS knows. In any case no contact may lead to a next hop or a trusted peer.", ""},
	{"registrar.service_route", "URIs of the Service-Route that a 200 carries (RFC 3608): the way that clients are to send their requests. Empty: none.", `["sip:edge.example.com;lr"]`},

	{"location.durability", "When a REGISTER is answered 200. sync: when the change is on disk; nothing that was acknowledged is lost, whatever happens. interval: at once, and the disk follows at each interval; a crash of the machine loses at most that. none: at once, the operating system writes when it likes; a crash of the machine loses some 30 s. With these two, a server that is killed loses the changes of its last milliseconds.", ""},
	{"location.interval", "Between two syncs, with durability interval.", ""},
	{"location.snapshot_size", "When the journal has grown by this much, a snapshot replaces it: less means a quicker start and more writing.", ""},
	{"location.max_pending", "Changes that may wait for the disk, in bytes; more are answered 503 with Retry-After.", ""},

	{"auth.nonce_lifetime", "How long a nonce is good; then the client is challenged again, with stale=TRUE, and asks nobody for a password.", ""},
	{"auth.max_nonces", "Nonces whose counts are remembered, against replays. A client whose nonce was forgotten is challenged again.", ""},
	{"auth.auth_int", "Offer qop auth-int beside auth: digests that cover the body. Some clients take the first qop that they see and cannot do it.", ""},

	{"defence.mode", "on: who guesses is throttled, and then refused for a while. watch: that is counted and logged, and everything is let through. off: nothing is counted.", ""},
	{"defence.tries", "Wrong passwords that a source has at once, and as many names of nobody, before it is throttled. A source is an IPv4 address, or an IPv6 /64; its /56 has a quarter more. For one user a source has half of them, and 3 while that user is attacked from everywhere. From 1 to 1000.", ""},
	{"defence.window", "The time in which a source gets its tries back, one after the other: with 20 in 15m, one in 45s. From 1m to 24h.", ""},
	{"defence.interval", "Of a throttled source one attempt is looked at in this time; the others get no answer over UDP, so that phones try again, and 503 with Retry-After over TCP and TLS. From 1s to 1m.", ""},
	{"defence.refuse_after", "Attempts, counted as tries are, that have a source refused. More than tries.", ""},
	{"defence.refuse", "How long a source is refused before it is let in again. From 1s to 168h.", ""},
	{"defence.answer", "What a source gets that is refused: 403, or silence.", ""},
	{"defence.hide_users", "Give strangers the same answer, 480, for a user who does not exist and for one who is not registered. Off, since callers want to know a wrong number.", ""},
	{"defence.exempt", "IP addresses and networks that nothing is counted for, beside those of proxy.trusted: your own, other proxies that send calls of many people.", `["10.0.0.0/8", "2001:db8::/32"]`},

	{"proxy.record_route", "Stay in the way of the dialogs that begin here, with a Record-Route. Without it, what follows the first request goes from phone to phone, which only works where they reach each other: not through a NAT, and not between UDP and TLS. Where one side is sips and the other is not, it is written all the same (RFC 3261 §16.6).", ""},
	{"proxy.trusted", "IP addresses and networks of peers that are not challenged and may be relayed for: other proxies, a PSTN gateway. Whoever can send from there can call anywhere, and as anyone. For UDP an address is only as good as the network in front of it: it must drop forged sources. 0.0.0.0/0 is refused.", `["192.0.2.111", "10.1.0.0/16"]`},
	{"proxy.recurse", "When the phone of a user answers 3xx, call the contacts in it instead of passing it to the caller. Leave it off unless you want phones to be able to forward calls at their owner's word.", ""},
	{"proxy.timer_c", "How long an INVITE may go on without an answer or a new provisional response, before it is cancelled. More than 3m (RFC 3261 §16.6), at most 1h.", ""},
	{"proxy.no_answer", "What the caller gets when nobody answered in that time: 408, as RFC 3261 has it, or 480, which some gateways turn into a better announcement.", ""},
	{"proxy.outbound", "SIP URIs of next hops for requests to domains that are not served here, tried in order; an edge proxy or a session border controller. With ;lr a hop is put into the Route, without it, it only says where to send. Empty: the domain is looked up in DNS (RFC 3263).", `["sip:edge.example.com;lr"]`},
	{"proxy.max_transactions", "Transactions at work at a time: requests without a final response. A call that rings takes two, and with an INVITE of 1.1 KB some 8 KB of memory with all that belongs to it; the process may hold twice as much of the system before Go's garbage collector runs, unless GOMEMLIMIT says otherwise. Over it, new requests are answered 503 with Retry-After, and running calls go on. Strangers have five eighths of it, and of that each source, each user that they call, and each source for one user has a bound (docs/operations.md): who has authenticated has the rest. What is answered lives on for 32 s to absorb what is late, and is bounded by itself (512 MiB). From 1000 to 16777216. A change takes a restart.", ""},
	{"proxy.max_breadth", "Branches that one request may have at a time, here and downstream together (RFC 5393). From 1 to 1000.", ""},
	{"proxy.dialog_lifetime", "How long after a call or subscription began, or was last refreshed (a re-INVITE or UPDATE of a session timer, a SUBSCRIBE), its two ends send within it without credentials. After that a subscriber is challenged again, and a stranger refused. From 10m to 720h.", ""},
	{"proxy.assert_identity", "Write P-Asserted-Identity (RFC 3325) for callers who have authenticated: the user and domain of their credentials. What callers who are not trusted write there themselves, and in P-Preferred-Identity and Remote-Party-ID, is always removed.", ""},

	{"route[].name", "What the route is called in logs. No two have the same. Default: its number.", `"gateway"`},
	{"route[].domain", "Host of the Request-URI as it stands there, or \"*.example.com\" for what is below it; an alias of a domain is another host. Empty: any.", `"*.example.com"`},
	{"route[].user", "What the user part of the Request-URI begins with: \"+\" is all international numbers, \"+1\" those of North America. Empty: any.", `"+"`},
	{"route[].source", "IP addresses and networks that the request comes from. Empty: anywhere.", `["192.0.2.20"]`},
	{"route[].hops", "SIP URIs of next hops, tried in order, as in proxy.outbound; before the location service, also for a domain that is served here. Only callers who have authenticated or are trusted get there. A request that has a Route already, or belongs to a dialog, follows that. Empty: the ordinary way, by location service or DNS.", `["sip:gw1.example.com;transport=tcp", "sip:gw2.example.com"]`},
	{"route[].record_route", "As proxy.record_route, for these requests. Default: what that says.", "false"},
	{"route[].trusted", "These requests are not challenged, and are relayed. Only together with source: anything else in a request is what its sender wrote.", "true"},

	{"dns.servers", "Name servers, IP address with a port or without (53), tried in order. Empty: those of the system (/etc/resolv.conf).", `["127.0.0.1:5353"]`},
	{"dns.hosts", "Names with fixed IP addresses, which no name server is asked for. As a variable: BILOXI_DNS_HOSTS=gw.example.com=192.0.2.20,gw.example.com=192.0.2.21.", `{ "gw.example.com" = ["192.0.2.20", "192.0.2.21"] }`},

	{"limits.connections", "TCP and TLS connections in all. Where they are all taken, the oldest on which nothing was authenticated gives way to a new one. There are fewer if the system allows too few file descriptors; the log says so at the start.", ""},
	{"limits.connections_per_source", "TCP and TLS connections from one IPv4 address or one IPv6 /64; a /56 may have twice as many. Many phones may share one behind a NAT.", ""},
	{"limits.head_size", "Start-line and header section of a message on TCP or TLS, in bytes.", ""},
	{"limits.body_size", "Body of a message on TCP or TLS, in bytes.", ""},
	{"limits.handshake_timeout", "For a TLS handshake, from its ClientHello on, and before that for its turn at the processor: when thousands of phones come back at once, some wait. The ClientHello itself has 5s.", ""},
	{"limits.unauthenticated_timeout", "After this a connection that has authenticated nothing is closed.", ""},
	{"limits.message_timeout", "From the first byte of a message on TCP or TLS to its last.", ""},
	{"limits.idle_timeout", "After this a connection that nothing came from is closed, keep-alives included. Longer than max_expires it never closes a registered phone that is alive.", ""},
	{"limits.write_timeout", "After this a connection whose peer does not read is closed.", ""},
	{"limits.write_queue", "Bytes that may wait for one connection's peer to read; over it, the connection is closed.", ""},
	{"limits.shutdown_timeout", "How long SIGTERM waits for what is under way, calls that ring above all, before it cancels them, tells their callers 503, and closes all. Less than what the service manager grants: TimeoutStopSec is 30 s in the systemd unit.", ""},

	{"log.level", "debug, info, warn or error: what is less severe is not logged.", ""},
	{"log.format", "text, json, or auto: text on a terminal, JSON otherwise. A change takes a restart.", ""},
}

// sections are the tables, in order, with what each is about.
var sections = []struct{ header, meaning string }{
	{"", ""},
	{"[[domain]]", "The domains that the server is responsible for, once for each."},
	{"[[listen]]", "The sockets that SIP arrives at, once for each."},
	{"[transport]", "How messages are sent."},
	{"[tls]", "Certificates for tls listeners and for TLS connections to other servers."},
	{"[[tls.sni]]", "More certificates, chosen by the server name that a client asks for."},
	{"[registrar]", "What a REGISTER is granted."},
	{"[location]", "How bindings are kept."},
	{"[auth]", "Digest authentication."},
	{"[defence]", "What becomes of those who guess passwords, or ask for one name after the other. docs/operations.md tells it as a whole."},
	{"[proxy]", "How calls, and all other requests that are not for the server itself, are forwarded."},
	{"[[route]]", "Exceptions to the ordinary way, once for each: for requests that match all of domain, user and source that are given. The first route that matches counts; at least one of the three must be given."},
	{"[dns]", "How the names of next hops become addresses."},
	{"[limits]", "What peers may use. Over a limit a peer is refused, and counted."},
	{"[log]", "The log, on standard error."},
}
