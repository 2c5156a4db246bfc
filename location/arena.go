package location

// ref is the place of an item in an arena: its page's number and, in grains, where it stands in the page. 0
// is none.
type ref uint32

const (
	grainBits = 9 // of a ref: pageSize/grain = 1<<9
	grainMask = 1<<grainBits - 1
)

func (r ref) page() uint32 { return uint32(r) >> grainBits }
func (r ref) offset() int  { return int(r&grainMask) * grain }

// arena holds items in pages, all items of a page in places of one size class. The garbage collector sees one
// object per page and no pointer in it. A page without items goes back.
//
// The zero arena is empty. It belongs to its shard and is guarded by that one's lock.
type arena struct {
	pages   []page                  // pages[0] is never used
	partial [len(classSizes)]uint32 // by class: the first of the pages with a free place
	unused  uint32                  // the first of the page numbers without a page, linked by next
	bytes   int64                   // of all pages
}

// page is one page of an arena.
type page struct {
	data       []byte
	next, prev uint32 // in the list of the class's pages with a free place
	free       uint16 // the first place that was freed, in grains, plus one; it begins with the next such
	fresh      uint16 // the first place that was never used, in grains
	items      uint16
	class      uint8 // ownPage: one item larger than maxClassed
}

const ownPage = uint8(len(classSizes))

// classSizes are the sizes of places, in bytes: every multiple of grain up to 512, where records of one
// binding are, and then the n-th parts of a page.
var classSizes = func() (sizes [44]int) {
	n := 0
	for size := grain; size <= 512; size += grain {
		sizes[n] = size
		n++
	}
	for parts := pageSize/512 - 1; n < len(sizes); parts-- {
		sizes[n] = pageSize / parts &^ (grain - 1)
		n++
	}
	return sizes
}()

// classOf is the smallest class for an item, by its size in grains.
var classOf = func() (classes [maxClassed/grain + 1]uint8) {
	class := 0
	for grains := range classes {
		if grains*grain > classSizes[class] {
			class++
		}
		classes[grains] = uint8(class)
	}
	return classes
}()

// alloc returns a place for an item of that size, with whatever was there before.
func (a *arena) alloc(size int) (ref, []byte) {
	if size > maxClassed {
		n := a.newPage(size, ownPage)
		a.pages[n].items = 1
		return ref(n << grainBits), a.pages[n].data
	}
	class := classOf[(size+grain-1)/grain]
	n := a.partial[class]
	if n == 0 {
		n = a.newPage(pageSize, class)
		a.link(n)
	}
	p := &a.pages[n]
	at := p.fresh
	if p.free != 0 {
		at = p.free - 1
		p.free = uint16(p.data[int(at)*grain]) | uint16(p.data[int(at)*grain+1])<<8
	} else {
		p.fresh += uint16(classSizes[class] / grain)
	}
	p.items++
	if p.full() {
		a.unlink(n)
	}
	r := ref(n<<grainBits | uint32(at))
	return r, a.item(r)[:size]
}

// item returns the place at r, all of it.
func (a *arena) item(r ref) []byte {
	p := &a.pages[r.page()]
	if p.class == ownPage {
		return p.data
	}
	at := r.offset()
	return p.data[at : at+classSizes[p.class]]
}

// release gives a place back. r may be 0.
func (a *arena) release(r ref) {
	if r == 0 {
		return
	}
	n := r.page()
	p := &a.pages[n]
	p.items--
	if p.class == ownPage {
		a.dropPage(n)
		return
	}
	if p.full() {
		a.link(n)
	}
	at := r.offset()
	p.data[at], p.data[at+1] = byte(p.free), byte(p.free>>8)
	p.free = uint16(r&grainMask) + 1
	// The last page of a class stays, so that one item that comes and goes costs nothing.
	if p.items == 0 && (p.next != 0 || p.prev != 0) {
		a.unlink(n)
		a.dropPage(n)
	}
}

// full reports whether p has no free place.
func (p *page) full() bool {
	return p.free == 0 && int(p.fresh)*grain+classSizes[p.class] > pageSize
}

func (a *arena) newPage(size int, class uint8) (n uint32) {
	if len(a.pages) == 0 {
		a.pages = append(a.pages, page{})
	}
	n = a.unused
	if n == 0 {
		n = uint32(len(a.pages))
		a.pages = append(a.pages, page{})
	}
	p := &a.pages[n]
	a.unused = p.next
	*p = page{data: make([]byte, size), class: class}
	a.bytes += int64(size)
	return n
}

func (a *arena) dropPage(n uint32) {
	p := &a.pages[n]
	a.bytes -= int64(len(p.data))
	*p = page{next: a.unused}
	a.unused = n
}

// link puts page n before the pages of its class that have a free place.
func (a *arena) link(n uint32) {
	p := &a.pages[n]
	p.prev, p.next = 0, a.partial[p.class]
	if p.next != 0 {
		a.pages[p.next].prev = n
	}
	a.partial[p.class] = n
}

func (a *arena) unlink(n uint32) {
	p := &a.pages[n]
	if p.prev != 0 {
		a.pages[p.prev].next = p.next
	} else {
		a.partial[p.class] = p.next
	}
	if p.next != 0 {
		a.pages[p.next].prev = p.prev
	}
	p.next, p.prev = 0, 0
}
