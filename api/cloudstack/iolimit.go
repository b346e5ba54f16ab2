package cloudstack

// IOLimitsIn are how fast the disks of a new offering may be read and written.
type IOLimitsIn struct {
	BytesRead         int64 `api:"bytesreadrate" doc:"How many bytes a second may be read; no limit unless given."`
	BytesReadBurst    int64 `api:"bytesreadratemax" doc:"How many bytes a second may be read for a while; no more than bytesreadrate unless given."`
	BytesReadSeconds  int64 `api:"bytesreadratemaxlength" doc:"For how many seconds; 1 unless given."`
	BytesWrite        int64 `api:"byteswriterate" doc:"How many bytes a second may be written; no limit unless given."`
	BytesWriteBurst   int64 `api:"byteswriteratemax" doc:"How many bytes a second may be written for a while; no more than byteswriterate unless given."`
	BytesWriteSeconds int64 `api:"byteswriteratemaxlength" doc:"For how many seconds; 1 unless given."`
	OpsRead           int64 `api:"iopsreadrate" doc:"How many reads a second there may be; no limit unless given."`
	OpsReadBurst      int64 `api:"iopsreadratemax" doc:"How many reads a second there may be for a while; no more than iopsreadrate unless given."`
	OpsReadSeconds    int64 `api:"iopsreadratemaxlength" doc:"For how many seconds; 1 unless given."`
	OpsWrite          int64 `api:"iopswriterate" doc:"How many writes a second there may be; no limit unless given."`
	OpsWriteBurst     int64 `api:"iopswriteratemax" doc:"How many writes a second there may be for a while; no more than iopswriterate unless given."`
	OpsWriteSeconds   int64 `api:"iopswriteratemaxlength" doc:"For how many seconds; 1 unless given."`
}

// IOLimitsChange says what of it to change.
type IOLimitsChange struct {
	BytesRead         *int64 `api:"bytesreadrate,since=4.15" doc:"How many bytes a second may be read; 0 for no limit. Machines go by it from their next start on, as by the others."`
	BytesReadBurst    *int64 `api:"bytesreadratemax,since=4.15" doc:"How many bytes a second may be read for a while; 0 for no more than bytesreadrate."`
	BytesReadSeconds  *int64 `api:"bytesreadratemaxlength,since=4.15" doc:"For how many seconds."`
	BytesWrite        *int64 `api:"byteswriterate,since=4.15" doc:"How many bytes a second may be written; 0 for no limit."`
	BytesWriteBurst   *int64 `api:"byteswriteratemax,since=4.15" doc:"How many bytes a second may be written for a while; 0 for no more than byteswriterate."`
	BytesWriteSeconds *int64 `api:"byteswriteratemaxlength,since=4.15" doc:"For how many seconds."`
	OpsRead           *int64 `api:"iopsreadrate,since=4.15" doc:"How many reads a second there may be; 0 for no limit."`
	OpsReadBurst      *int64 `api:"iopsreadratemax,since=4.15" doc:"How many reads a second there may be for a while; 0 for no more than iopsreadrate."`
	OpsReadSeconds    *int64 `api:"iopsreadratemaxlength,since=4.15" doc:"For how many seconds."`
	OpsWrite          *int64 `api:"iopswriterate,since=4.15" doc:"How many writes a second there may be; 0 for no limit."`
	OpsWriteBurst     *int64 `api:"iopswriteratemax,since=4.15" doc:"How many writes a second there may be for a while; 0 for no more than iopswriterate."`
	OpsWriteSeconds   *int64 `api:"iopswriteratemaxlength,since=4.15" doc:"For how many seconds."`
}

// IOLimits are how fast the disks of an offering may be read and written. What has no limit is absent.
type IOLimits struct {
	IORates
	BytesReadBurst    int64 `json:"diskBytesReadRateMax,omitempty" doc:"How many bytes a second may be read for a while; absent for no more than diskBytesReadRate."`
	BytesReadSeconds  int64 `json:"diskBytesReadRateMaxLength,omitempty" doc:"For how many seconds."`
	BytesWriteBurst   int64 `json:"diskBytesWriteRateMax,omitempty" doc:"How many bytes a second may be written for a while; absent for no more than diskBytesWriteRate."`
	BytesWriteSeconds int64 `json:"diskBytesWriteRateMaxLength,omitempty" doc:"For how many seconds."`
	OpsReadBurst      int64 `json:"diskIopsReadRateMax,omitempty" doc:"How many reads a second there may be for a while; absent for no more than diskIopsReadRate."`
	OpsReadSeconds    int64 `json:"diskIopsReadRateMaxLength,omitempty" doc:"For how many seconds."`
	OpsWriteBurst     int64 `json:"diskIopsWriteRateMax,omitempty" doc:"How many writes a second there may be for a while; absent for no more than diskIopsWriteRate."`
	OpsWriteSeconds   int64 `json:"diskIopsWriteRateMaxLength,omitempty" doc:"For how many seconds."`
}

// IORates are those of the limits that hold all the time.
type IORates struct {
	BytesRead  int64 `json:"diskBytesReadRate,omitempty" doc:"How many bytes a second may be read; absent for no limit."`
	BytesWrite int64 `json:"diskBytesWriteRate,omitempty" doc:"How many bytes a second may be written; absent for no limit."`
	OpsRead    int64 `json:"diskIopsReadRate,omitempty" doc:"How many reads a second there may be; absent for no limit."`
	OpsWrite   int64 `json:"diskIopsWriteRate,omitempty" doc:"How many writes a second there may be; absent for no limit."`
}
