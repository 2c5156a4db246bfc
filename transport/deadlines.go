package transport

// deadlines are the connections of a loop by when they are to be looked at, a heap for container/heap. Each knows
// its place, so that one that ends does not stay until its deadline: an hour, of a phone.
type deadlines []*conn

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].armed < d[j].armed }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].turn, d[j].turn = i, j
}

func (d *deadlines) Push(x any) {
	c := x.(*conn)
	c.turn = len(*d)
	*d = append(*d, c)
}

func (d *deadlines) Pop() any {
	last := len(*d) - 1
	c := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	c.turn = -1
	return c
}
