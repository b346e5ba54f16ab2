package wire

import (
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/offering"
)

// LimitsIn are the limits of a new offering.
func LimitsIn(in cs.IOLimitsIn) offering.IOLimits {
	return offering.IOLimits{
		ReadBytes:  offering.IOLimit{Rate: in.BytesRead, Burst: in.BytesReadBurst, Seconds: in.BytesReadSeconds},
		WriteBytes: offering.IOLimit{Rate: in.BytesWrite, Burst: in.BytesWriteBurst, Seconds: in.BytesWriteSeconds},
		ReadOps:    offering.IOLimit{Rate: in.OpsRead, Burst: in.OpsReadBurst, Seconds: in.OpsReadSeconds},
		WriteOps:   offering.IOLimit{Rate: in.OpsWrite, Burst: in.OpsWriteBurst, Seconds: in.OpsWriteSeconds},
	}
}

// LimitsChange is what to change of them.
func LimitsChange(in cs.IOLimitsChange) offering.IOChange {
	return offering.IOChange{
		ReadBytes:  offering.IOLimitChange{Rate: in.BytesRead, Burst: in.BytesReadBurst, Seconds: in.BytesReadSeconds},
		WriteBytes: offering.IOLimitChange{Rate: in.BytesWrite, Burst: in.BytesWriteBurst, Seconds: in.BytesWriteSeconds},
		ReadOps:    offering.IOLimitChange{Rate: in.OpsRead, Burst: in.OpsReadBurst, Seconds: in.OpsReadSeconds},
		WriteOps:   offering.IOLimitChange{Rate: in.OpsWrite, Burst: in.OpsWriteBurst, Seconds: in.OpsWriteSeconds},
	}
}

// LimitsOut shows them.
func LimitsOut(l offering.IOLimits) cs.IOLimits {
	return cs.IOLimits{
		IORates:        RatesOut(l),
		BytesReadBurst: l.ReadBytes.Burst, BytesReadSeconds: l.ReadBytes.Seconds,
		BytesWriteBurst: l.WriteBytes.Burst, BytesWriteSeconds: l.WriteBytes.Seconds,
		OpsReadBurst: l.ReadOps.Burst, OpsReadSeconds: l.ReadOps.Seconds,
		OpsWriteBurst: l.WriteOps.Burst, OpsWriteSeconds: l.WriteOps.Seconds,
	}
}

// RatesOut shows those that hold all the time.
func RatesOut(l offering.IOLimits) cs.IORates {
	return cs.IORates{BytesRead: l.ReadBytes.Rate, BytesWrite: l.WriteBytes.Rate, OpsRead: l.ReadOps.Rate, OpsWrite: l.WriteOps.Rate}
}
