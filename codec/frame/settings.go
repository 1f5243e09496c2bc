package frame

import "encoding/binary"

// SettingID names a setting (RFC 9113 section 6.5.2).
type SettingID uint16

// The settings of RFC 9113 section 6.5.2.
const (
	SettingHeaderTableSize   SettingID = 0x1
	SettingEnablePush        SettingID = 0x2
	SettingStreamsMax        SettingID = 0x3 // SETTINGS_MAX_CONCURRENT_STREAMS
	SettingInitialWindowSize SettingID = 0x4
	SettingFrameSizeMax      SettingID = 0x5 // SETTINGS_MAX_FRAME_SIZE
	SettingHeaderListSizeMax SettingID = 0x6 // SETTINGS_MAX_HEADER_LIST_SIZE
)

const settingBytes = 6

// Setting is one identifier and its value.
type Setting struct {
	ID    SettingID
	Value uint32
}

// Settings is the payload of a SETTINGS frame, read entry by entry.
type Settings []byte

// ParseSettings checks a SETTINGS payload and borrows it.
func ParseSettings(h Head, payload []byte) (Settings, error) {
	if h.Flags.Has(FlagAck) && len(payload) != 0 {
		return nil, sizeError(KindSettings)
	}
	if len(payload)%settingBytes != 0 {
		return nil, sizeError(KindSettings)
	}
	return payload, nil
}

// Len is the number of entries.
func (s Settings) Len() int { return len(s) / settingBytes }

// At is entry i.
func (s Settings) At(i int) Setting {
	entry := s[i*settingBytes:]
	return Setting{
		ID:    SettingID(binary.BigEndian.Uint16(entry)),
		Value: binary.BigEndian.Uint32(entry[2:]),
	}
}

// Validate checks the range of a value the RFC bounds. Unknown settings are valid.
func (s Setting) Validate() error {
	switch s.ID {
	case SettingEnablePush:
		if s.Value > 1 {
			return &Error{Code: ProtocolError, Reason: "SETTINGS_ENABLE_PUSH is neither 0 nor 1"}
		}
	case SettingInitialWindowSize:
		if s.Value > WindowMax {
			return &Error{Code: FlowControlError, Reason: "SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1"}
		}
	case SettingFrameSizeMax:
		if s.Value < PayloadBytesMin || s.Value > PayloadBytesMax {
			return &Error{Code: ProtocolError, Reason: "SETTINGS_MAX_FRAME_SIZE is out of range"}
		}
	}
	return nil
}

// AppendSettings encodes a SETTINGS frame.
func AppendSettings(dst []byte, settings ...Setting) []byte {
	dst = AppendHead(dst, Head{Length: len(settings) * settingBytes, Kind: KindSettings})
	for _, s := range settings {
		dst = binary.BigEndian.AppendUint16(dst, uint16(s.ID))
		dst = binary.BigEndian.AppendUint32(dst, s.Value)
	}
	return dst
}

// AppendSettingsAck encodes the acknowledgment of a SETTINGS frame.
func AppendSettingsAck(dst []byte) []byte {
	return AppendHead(dst, Head{Kind: KindSettings, Flags: FlagAck})
}
