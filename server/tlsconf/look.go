package tlsconf

// Look reads the files and, when they hold something new that can be used, makes it current. It is
// made to be called again and again, by one goroutine.
//
// Files are compared by what they hold: that is a few kilobytes, and right for a link that is
// swapped (as Kubernetes does it), for a network file system, and for two writes within one tick of
// the clock, where times, sizes and notifications each miss one or the other. Files are replaced one
// after the other, so what cannot be used gets a second look before it is an error; it is reported
// once, and the last good state stays.
func (s *Source) Look() (changed bool, err error) {
	if s.config.TestMode && s.config.TrustPath == "" {
		return false, nil
	}
	files, err := s.read()
	switch {
	case err != nil:
		files = texts{} // whatever comes next is new
	case files.equal(&s.tried):
		err, s.doubt = s.doubt, nil
		return false, err
	default:
		err = s.use(&files)
	}
	again := err != nil && files.equal(&s.tried)
	s.tried = files
	if err == nil {
		s.doubt = nil
		return true, nil
	}
	return false, s.suspect(err, again)
}

// suspect keeps err for the second look.
func (s *Source) suspect(err error, again bool) error {
	switch {
	case !again:
		s.doubt = err
		return nil
	case s.doubt != nil: // still unreadable
		s.doubt = nil
		return err
	}
	return nil
}
