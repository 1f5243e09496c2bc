package h2

import "rocketmq-proxy/codec/frame"

// offerSettings queues our SETTINGS, and the WINDOW_UPDATE that makes the connection's
// receive window what we want: SETTINGS only speaks of streams (section 6.9.2).
func (c *Conn) offerSettings() {
	l := &c.cfg.limits
	b := c.out.Reserve(128)
	b = frame.AppendSettings(b,
		frame.Setting{ID: frame.SettingStreamsMax, Value: l.StreamsMax},
		frame.Setting{ID: frame.SettingInitialWindowSize, Value: uint32(l.StreamWindowBytes)},
		frame.Setting{ID: frame.SettingHeaderListSizeMax, Value: uint32(l.HeaderListBytesMax)},
	)
	if more := l.ConnWindowBytes - frame.WindowInitial; more > 0 {
		b = frame.AppendWindowUpdate(b, 0, uint32(more))
	}
	c.out.Commit(b)
}

// settings applies the client's SETTINGS in their order (section 6.5.3), then acknowledges.
func (c *Conn) settings(h frame.Head, payload []byte) error {
	if h.Stream != 0 {
		return protocolError("SETTINGS on a stream")
	}
	list, err := frame.ParseSettings(h, payload)
	if err != nil {
		return layoutError(err)
	}
	if h.Flags.Has(frame.FlagAck) {
		c.settingsAck = true
		return nil
	}
	if list.Len() > c.cfg.limits.SettingsEntriesMax {
		return c.exceeded(SettingsFlood, "SettingsEntriesMax: too many entries in SETTINGS")
	}
	if c.settingsSeen { // the first are every connection's
		if err = c.spend(SettingsFlood); err != nil {
			return err
		}
	}
	for i := range list.Len() {
		if err = c.setting(list.At(i)); err != nil {
			return err
		}
	}
	if !c.settingsSeen {
		c.settingsSeen = true
		if c.goAway == goAwayNone {
			c.prefaceDue = c.after(c.cfg.limits.PrefaceTimeout)
			c.wake(c.prefaceDue)
		}
		c.becomeIdle()
	}
	c.out.Commit(frame.AppendSettingsAck(c.out.Reserve(frame.HeadBytes)))
	c.control++
	return nil
}

func (c *Conn) setting(s frame.Setting) error {
	if err := s.Validate(); err != nil {
		return layoutError(err)
	}
	switch s.ID {
	case frame.SettingInitialWindowSize:
		return c.moveWindows(int(s.Value))
	case frame.SettingFrameSizeMax:
		c.peerFrame = int(s.Value)
	}
	// The table size is of no interest, our encoder has no table; nor is the header list
	// limit, our largest block is a kilobyte or so.
	return nil
}

// moveWindows changes the send window of every stream by the difference to the initial
// window so far, which may make it negative (section 6.9.2): a stream that has 60 of 100
// bytes left and hears of a window of 10 has -30 left, and waits for 31.
func (c *Conn) moveWindows(size int) error {
	diff := size - c.peerWindow
	c.peerWindow = size
	for s := range c.streams.all() {
		if s.sendWindow += diff; s.sendWindow > frame.WindowMax {
			return ConnError{Code: frame.FlowControlError, Reason: "SETTINGS_INITIAL_WINDOW_SIZE overflows a window"}
		}
		c.ready.update(s)
	}
	return nil
}
