package setting

// Own gives the values of the places that have one of their own, for who decides about many places at a time.
func (k Key[T]) Own(s *Settings) map[Place]T {
	if s == nil {
		return nil
	}
	out := map[Place]T{}
	for at, v := range s.values.Load().in {
		if at.setting == k.Setting && at.place != (Place{}) {
			out[at.place] = v.(T)
		}
	}
	return out
}
