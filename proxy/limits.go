package proxy

import "time"

const (
	// MaxTargets is the most targets of one request, those of a redirection included. A registrar keeps some
	// ten contacts of an AOR; a response with a thousand Contacts must not become a thousand requests.
	MaxTargets = 32

	// MaxDepth is how many addresses-of-record may lead to a target, one forwarding to the next. People forward to a
	// group, and it to their other phones; a rank has room for so many.
	MaxDepth = 6

	// MaxAORs is how many addresses-of-record are looked up for one request. Each is a look into memory that whoever
	// called did not pay for.
	MaxAORs = 32

	// MaxBranches is how many branches one request may have in all, one after another too, here and by way of other
	// elements that send it back here. A group of MaxTargets, each of which has one more elsewhere.
	MaxBranches = 64

	// DefaultMaxBreadth is how many branches a request may have at a time, here and downstream together, where
	// it says nothing or more (RFC 5393 §5.3.3 recommends 60).
	DefaultMaxBreadth = 60

	// initialMaxForwards is the Max-Forwards of a request that came without (RFC 3261 §16.6 step 3).
	initialMaxForwards = 70

	// MinTimerC is what Timer C must be more than (RFC 3261 §16.6 step 11).
	MinTimerC = 3 * time.Minute

	// DefaultTimerC is how long a branch of an INVITE may do without a provisional response.
	DefaultTimerC = MinTimerC + 5*time.Second

	// nonInvitePatience is how long a forked request other than INVITE waits for the rest of its branches when one
	// has refused. Who asked gives up after 64*T1, 32 s, and after that hears nothing (RFC 4320 §4.2): two seconds are
	// for the hops up to him, and for his having begun earlier.
	nonInvitePatience = 30 * time.Second

	// answerPatience is how long a branch may still answer that has lost the connection its request went over, or whose
	// final response was for nobody: a phone that opens another connection at once has it by then (RFC 3261 §18.1.1).
	// Who asked should not have to wait for longer.
	answerPatience = 4 * time.Second

	// DefaultDialog is how long a dialog needs no permission after it was made, or refreshed: longer than a working
	// day's calls, and many times the half hour in which session timers and subscriptions refresh theirs.
	DefaultDialog = 24 * time.Hour

	// dialogSets and dialogWays are how much is remembered of dialogs whose proofs do not do: 262144 entries of 16 bytes,
	// 4 MiB, half of them for strangers' dialogs. Each end that answers from elsewhere, or moves, takes one, each dialog
	// that is refreshed another; an hour of 36 such calls a second.
	dialogSets = 1 << 15
	dialogWays = 8

	// maxChallenges is how many bytes of challenges of other branches are added to a 401 or 407. One takes
	// some 200 bytes; a hundred branches with many each must not become a response that nothing carries.
	maxChallenges = 8 << 10
)
