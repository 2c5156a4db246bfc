package transaction

// State is a state of RFC 3261 §17 and RFC 6026 §7.
type State uint8

// The states. Which of them a transaction can have depends on its machine.
const (
	Calling State = 1 + iota
	Trying
	Proceeding
	Completed
	Confirmed
	Accepted
	Terminated
)

var stateNames = [...]string{"", "Calling", "Trying", "Proceeding", "Completed", "Confirmed", "Accepted", "Terminated"}

// String returns the name that the RFC gives to the state.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return ""
}
